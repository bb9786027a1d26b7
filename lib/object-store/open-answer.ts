import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds without a byte after which an answer is given up, before it has begun and while it is waited for. */
const STALL_MS = 300_000

/** Again after an answer that says "not now", with a growing pause: milliseconds of the first one at most. */
const [MAX_RETRIES, FIRST_PAUSE_MS] = [5, 50]

/**
 * Asks for something that is read as slowly as its reader likes, by Node's own client. `fetch` ends the process when a server
 * closes the connection of an answer that is not read as fast as it comes (nodejs/undici#5360).
 *
 * @param sign makes the request, which is valid for a while
 */
export async function openAnswer(sign: () => Promise<Request>): Promise<IncomingMessage> {
  for (let n = 0; ; n++) {
    const response = await send(await sign()).catch(async (error: unknown) => {
      // A connection that was open already may have been closed by the other side in the same moment.
      if (error instanceof StaleConnection) return send(await sign())
      throw error
    })
    const { statusCode = 0 } = response
    if (n === MAX_RETRIES || (statusCode < 500 && statusCode !== 429)) return response
    response.resume()
    await sleep(Math.random() * FIRST_PAUSE_MS * 2 ** n)
  }
}

/** The connection had been used before, and was closed. */
class StaleConnection extends Error {}

function send({ url, headers }: Request): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const ask = url.startsWith('https:') ? requestTls : requestPlain
    const request = ask(url, { headers: Object.fromEntries(headers) })
    const giveUp = () => request.destroy(new Error(`no answer within ${STALL_MS / 1000} s`))
    request.setTimeout(STALL_MS, giveUp)
    request.on('error', (cause) =>
      reject(request.reusedSocket ? new StaleConnection(cause.message, { cause }) : cause),
    )
    request.on('response', (response) => {
      request.off('timeout', giveUp)
      const { socket } = response
      // By the connection: a request hears of the first time only.
      const look = () => {
        // Its reader may be slow, for which the server can do nothing.
        const isWaitedFor = response.readableLength < response.readableHighWaterMark
        if (isWaitedFor) response.destroy(new Error(`no byte of the answer for ${STALL_MS / 1000} s`))
      }
      socket.on('timeout', look)
      response.once('close', () => socket.off('timeout', look))
      resolve(response)
    })
    request.end()
  })
}
