import { emailOf, PASSWORD } from '../environment/seed.ts'

/** A service that is measured, and access tokens of an admin and of a user. */
export interface Stage {
  readonly origin: string
  readonly admin: string
  readonly user: string
}

/** Signs in as the account with this number; number 0 is an admin. */
export async function signInAs(origin: string, account: number): Promise<string> {
  const credentials = { email: emailOf(account), password: PASSWORD }
  const { access_token } = await call(origin, '/api/v1/auth/login', undefined, credentials)
  return String(access_token)
}

/**
 * Sends a request, a POST when it has a body, and returns the answer.
 *
 * @throws Error when it is not 2xx
 */
export async function call(
  origin: string,
  path: string,
  token: string | undefined,
  body?: object,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${origin}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${text}`)
  return JSON.parse(text)
}

/** Milliseconds that some work took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
