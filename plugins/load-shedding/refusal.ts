import type { IncomingMessage, ServerResponse } from 'node:http'
import { Overloaded } from '../errors/http-errors.ts'
import { EARLY_HEADERS, PROBLEM_TYPE, problem } from '../errors/problem.ts'

/** Where the request's id goes; no text of ours holds it. */
const ID = '\u0000'

/**
 * Gives what answers 503 with a problem document, for as little as an answer can cost: all but the id is made
 * once.
 *
 * @param retryAfter seconds
 */
export function createRefusal(
  retryAfter: number,
): (request: IncomingMessage, response: ServerResponse, requestId: string, isLast: boolean) => void {
  const document = JSON.stringify(problem(new Overloaded(), ID))
  const [before = '', after = ''] = document.split(JSON.stringify(ID).slice(1, -1))
  const constantLength = Buffer.byteLength(before) + Buffer.byteLength(after)
  const headers = Object.entries({
    ...EARLY_HEADERS,
    'content-type': PROBLEM_TYPE,
    'retry-after': String(retryAfter),
  }).flat()

  return (request, response, requestId, isLast) => {
    response.writeHead(Overloaded.definition.status, [
      ...headers,
      'x-request-id',
      requestId,
      'content-length',
      // An id is a token, so a character is a byte.
      String(constantLength + requestId.length),
      ...(isLast ? ['connection', 'close'] : []),
    ])
    if (request.method === 'HEAD') response.end()
    else response.end(before + requestId + after)
  }
}
