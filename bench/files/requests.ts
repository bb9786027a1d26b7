import { type Agent, request } from 'node:http'
import { createContent } from './transfers.ts'

/** Bytes that an upload sends at once. */
export const PIECE_BYTES = 64 * 1024

/** The service, and somebody who may send to it. */
export interface Target {
  readonly origin: string
  readonly token: string
}

interface Sent {
  readonly method?: string
  readonly body?: Buffer | string
  readonly type?: string
  readonly headers?: Record<string, string>
  readonly agent?: Agent
}

/** Sends a request and reads its answer. */
export function send(
  url: string,
  token: string,
  { method = 'GET', body, type, agent, headers: own }: Sent = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...own,
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    }
    const sent = request(url, { method, headers, ...(agent === undefined ? {} : { agent }) }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => {
        const { statusCode = 0 } = response
        if (statusCode < 300) resolve(text)
        else reject(new Error(`${method} ${url}: ${statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Sends a content, no faster than so many bytes a second. */
export async function upload({ origin, token }: Target, bytes: number, speed: number): Promise<void> {
  const piece = Buffer.alloc(PIECE_BYTES, 'x')
  const url = await createContent(origin, token)
  await new Promise<void>((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-length': bytes }
    const sent = request(url, { method: 'PUT', headers }, (response) => response.resume().on('end', resolve))
    sent.on('error', reject)
    const begin = performance.now()
    const next = (at: number): void => {
      if (at >= bytes) return void sent.end()
      const goesOn = sent.write(piece.subarray(0, bytes - at))
      const late = begin + ((at + piece.length) / speed) * 1000 - performance.now()
      if (late > 1) setTimeout(next, late, at + piece.length)
      else if (goesOn) setImmediate(next, at + piece.length)
      else sent.once('drain', () => next(at + piece.length))
    }
    next(0)
  })
}
