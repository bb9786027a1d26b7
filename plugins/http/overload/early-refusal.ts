import type { IncomingMessage, ServerResponse } from 'node:http'
import { Overloaded } from '#plugins/http/errors/http-errors.ts'
import { EARLY_HEADERS, PROBLEM_TYPE, problem } from '#plugins/http/errors/problem.ts'
import { requestIdOf } from '#plugins/http/request/request-id.ts'

type ReadableBy = (origin: string | undefined) => Record<string, string>

/** Where the request's id goes; no text of ours holds it. */
const ID = '\u0000'

/**
 * Returns a function that answers 503 with a problem document as cheaply as possible: all but the id is made
 * once, and the refusals of a turn of the event loop are written at its end. A client that reads many of them is
 * woken for the first; to wake it for each is the largest part of what a refusal costs.
 *
 * @param retryAfter seconds
 * @param readableBy headers that let a page of an origin read the answer
 */
export function createRefusal(
  retryAfter: number,
  readableBy: ReadableBy,
): (request: IncomingMessage, response: ServerResponse) => void {
  const write = createWriter(retryAfter, readableBy)
  let refused: (() => void)[] = []
  const writeAll = () => {
    const all = refused
    refused = []
    for (const writeOne of all) writeOne()
  }
  return (request, response) => {
    if (refused.length === 0) setImmediate(writeAll)
    refused.push(() => write(request, response))
  }
}

function createWriter(
  retryAfter: number,
  readableBy: ReadableBy,
): (request: IncomingMessage, response: ServerResponse) => void {
  const document = JSON.stringify(problem(new Overloaded(), ID))
  const [before = '', after = ''] = document.split(JSON.stringify(ID).slice(1, -1))
  const constantLength = Buffer.byteLength(before) + Buffer.byteLength(after)
  const headers = Object.entries({
    ...EARLY_HEADERS,
    'content-type': PROBLEM_TYPE,
    'retry-after': String(retryAfter),
  }).flat()

  return (request, response) => {
    const requestId = requestIdOf(request.headers)
    response.writeHead(Overloaded.definition.status, [
      ...headers,
      ...Object.entries(readableBy(request.headers.origin)).flat(),
      'x-request-id',
      requestId,
      'content-length',
      // An id is a token, so a character is a byte.
      String(constantLength + requestId.length),
    ])
    if (request.method === 'HEAD') response.end()
    else response.end(before + requestId + after)
  }
}
