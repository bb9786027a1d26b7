import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

/** Expects a problem document with this status and code, which holds none of what must not leak. */
export function expectProblem(
  t: Test,
  response: LightMyRequestResponse,
  expected: { status: number; code: string; pointers?: string[]; absent?: string[] },
  message = expected.code,
): void {
  const { status, code, pointers, absent = [] } = expected
  t.equal(response.statusCode, status, `${message}: status`)
  t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8', `${message}: type`)
  const body = response.json()
  t.equal(body.code, code, `${message}: code`)
  t.equal(body.status, status, `${message}: status in the body`)
  t.equal(body.request_id, response.headers['x-request-id'], `${message}: request id`)
  if (pointers) {
    const found = new Set(body.errors.map((error: { pointer: string }) => error.pointer))
    t.same([...found].sort(), pointers, `${message}: pointers`)
  }
  for (const text of ['$argon2', 'stack', 'node_modules', ...absent]) {
    t.notOk(response.body.includes(text), `${message}: without ${text}`)
  }
}
