import { ask } from '../ui/questions.ts'
import { Abandoned, problemOf, Refused } from './refused.ts'
import { accessToken } from './session.ts'

/** A page of a list. */
export interface Page<T> {
  readonly data: T[]
  readonly next_cursor: string | null
}

interface Call {
  readonly method?: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Where the API is, from the panel's page. */
const API = '../api/v1/'
/** Milliseconds after which nobody waits for an answer any more; the service itself gives up sooner. */
const TIMEOUT_MS = 45_000

/**
 * Calls an operation and returns its answer.
 *
 * @throws as `exchange` does
 */
export async function call<T>(path: string, options: Call = {}): Promise<T> {
  const response = await exchange(path, options)
  return response.json()
}

/** Calls an operation that answers nothing, or whose answer does not matter. */
export async function perform(path: string, options: Call): Promise<void> {
  await exchange(path, options)
}

/** Calls an operation; returns its answer with the version that a change of it names (`If-Match`). */
export async function callVersioned<T>(
  path: string,
  options: Call = {},
): Promise<{ value: T; version: string }> {
  const response = await exchange(path, options)
  return { value: await response.json(), version: response.headers.get('etag') ?? '' }
}

/**
 * Calls an operation. Refreshes the session when it has to, and asks for the password when the operation demands a recent
 * proof of who calls; then it calls again.
 *
 * @throws Refused, Abandoned; TypeError when the service cannot be reached, DOMException when it does not answer
 */
async function exchange(path: string, options: Call): Promise<Response> {
  let refused: string | undefined
  for (;;) {
    const token = await accessToken(refused)
    if (token === undefined) throw new Abandoned('signed out')
    const response = await send(path, token, options)
    if (response.ok) return response
    const problem = await problemOf(response)
    if (problem.code === 'reauthentication_required') {
      if (!(await proveAgain())) throw new Abandoned('not proved')
    } else if (response.status === 401 && refused === undefined) refused = token
    else throw new Refused(problem, Number(response.headers.get('retry-after')) || undefined)
  }
}

/** The question for the password while it is open, so that several calls ask only once. */
let proof: Promise<boolean> | undefined

/** Asks for the password; returns whether it was right in the end. */
function proveAgain(): Promise<boolean> {
  proof ??= ask({
    title: 'Confirm that it is you',
    text: 'This can do harm, so it needs your password. You are not asked again for some minutes.',
    confirm: 'Continue',
    fields: [{ name: 'password', label: 'Your password', kind: 'password' }],
    run: ({ password }) => perform('auth/reauthenticate', { method: 'POST', body: { password } }),
  }).finally(() => {
    proof = undefined
  })
  return proof
}

function send(path: string, token: string, { method = 'GET', query = {}, body, headers, signal }: Call) {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value) search.set(key, value)
  const url = `${API}${path}${search.size > 0 ? `?${search}` : ''}`
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  return fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  })
}
