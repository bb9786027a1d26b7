import { exchange, type RawResponse, responsesIn } from '#test/support/raw-http.ts'
import type { HostileCase, HostileRequest } from './case.ts'
import type { HostileService } from './service.ts'

/** Sends a case's bytes and returns the replies, as text and parsed. */
export async function send(
  target: HostileService,
  { send: request }: Pick<HostileCase, 'send'>,
): Promise<{ received: string; replies: RawResponse[] }> {
  const parts = 'raw' in request ? request.raw.map((part) => bytes(target, part)) : [render(target, request)]
  const received = await exchange(target.port, ...parts)
  const isHead = !('raw' in request) && request.method === 'HEAD'
  return { received, replies: isHead ? responsesIn(withoutLength(received)) : responsesIn(received) }
}

/** Puts in what `{{user.id}}` and the like stand for. */
export function fill({ actors }: HostileService, text: string): string {
  return text.replace(/\{\{(user|other|admin)\.(\w+)\}\}/g, (_all, name: string, property: string) => {
    const actor = Object.entries(actors).find(([known]) => known === name)?.[1]
    const value = Object.entries(actor ?? {}).find(([known]) => known === property)?.[1]
    if (value === undefined) throw new Error(`there is no ${name}.${property}`)
    return value
  })
}

function bytes(target: HostileService, part: string | Buffer): Buffer {
  return typeof part === 'string' ? Buffer.from(fill(target, part)) : part
}

/** In one piece: a server that refuses by the headers closes before a second write, whose failure hides the answer. */
function render(target: HostileService, request: HostileRequest): Buffer {
  const { method, path, as, headers = [], host = '127.0.0.1' } = request
  const body = bytes(target, request.body ?? '')
  const given = new Set(headers.map(([name]) => name.trim().toLowerCase()))
  const fields = [
    ['Host', host],
    ['Connection', 'close'],
    ...(as === undefined ? [] : [['Authorization', `Bearer {{${as}.token}}`]]),
    ...headers,
  ]
  if (request.body !== undefined && !given.has('content-length') && !given.has('transfer-encoding')) {
    fields.push(['Content-Length', String(body.length)])
  }
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const line = `${method ?? (request.body === undefined ? 'GET' : 'POST')} ${path} HTTP/1.1\r\n`
  return Buffer.concat([bytes(target, `${line}${head}\r\n`), body])
}

/** A reply to HEAD has the length of the body that it does not have. */
function withoutLength(received: string): string {
  return received.replace(/^content-length: \d+\r\n/im, '')
}
