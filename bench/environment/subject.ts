import { setTimeout as sleep } from 'node:timers/promises'
import type { RequestTemplate } from '../load/load.ts'
import type { Usage } from '../system/process-usage.ts'
import { type OperationName, requestFor, type Target, textAt } from '../targets/target.ts'

/** Somebody who may be signed in. */
export interface Account {
  readonly email: string
  readonly password: string
  readonly token?: string
}

/** A server that is under measurement and who calls it. */
export interface Subject {
  readonly target: Target
  /** Whether it is the service. */
  readonly isOwn: boolean
  readonly server: SubjectServer
  readonly admin?: Account | undefined
  readonly users: readonly Account[]
}

export interface SubjectServer {
  readonly origin: string
  usage(): Promise<Usage | undefined>
  emptyLog(): Promise<void>
}

/** Whether the target's description has the operation, and somebody who may call it is signed in. */
export function offers({ target, admin, users }: Subject, operation: OperationName): boolean {
  const call = target.operations[operation]
  if (call?.as === 'user') return users[0]?.token !== undefined
  if (call?.as === 'admin') return admin?.token !== undefined
  return call !== undefined
}

/**
 * The requests of an operation: one for each of the first so many users, or the admin's.
 *
 * @throws Error when the target does not offer it
 */
export function requestsOf(subject: Subject, operation: OperationName, users = 1): RequestTemplate[] {
  const { target, admin } = subject
  const call = target.operations[operation]
  if (!call || !offers(subject, operation)) throw new Error(`${target.name} does not offer ${operation}`)
  const callers = call.as === 'admin' && admin ? [admin] : subject.users.slice(0, users)
  return callers.map(({ email, password, token }) =>
    requestFor(target, call, { email, password, ...(call.as && token !== undefined ? { token } : {}) }),
  )
}

/** Signs an account in. */
export async function signIn(
  origin: string,
  target: Target,
  { email, password }: Account,
): Promise<Required<Account>> {
  if (!target.sign_in) throw new Error(`${target.name} does not say how to sign in`)
  const { token: pointer, ...call } = target.sign_in
  const body = await send(origin, requestFor(target, call, { email, password }))
  const token = textAt(JSON.parse(body), pointer)
  if (token === undefined) throw new Error(`${target.name} gave no token at ${pointer}: ${body}`)
  return { email, password, token }
}

/** How often a request is sent again that was refused for the load of a machine that has other work. */
const ATTEMPTS = 10

/** Sends a request and returns the response's body. @throws Error when the last status is not 2xx */
export async function send(origin: string, request: RequestTemplate): Promise<string> {
  const { method, path, headers, body } = request
  for (let attempt = 1; ; attempt++) {
    const options = { method, headers, ...(body === undefined ? {} : { body }) }
    const response = await fetch(`${origin}${path}`, options)
    const text = await response.text()
    if (response.ok) return text
    if (response.status !== 503 || attempt === ATTEMPTS) {
      throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`)
    }
    await sleep(1000)
  }
}
