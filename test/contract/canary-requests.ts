import type { InjectOptions } from 'fastify'
import type { TestUser } from '#test/support/helper.ts'
import { type Canaries, plantedBody, plantedHeaders } from './canaries.ts'
import type { Document, PlacedOperation } from './document.ts'

/** A request, and who signs it. */
export type PlantedRequest = InjectOptions & { as?: TestUser }

const METHODS: Record<string, 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'> = {
  get: 'GET',
  post: 'POST',
  put: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
}

/** Parts of requests. */
export interface Planting {
  canaries: Canaries
  document: Document
  placed: PlacedOperation
  /** Whom paths lead to, and who logs in. */
  target: TestUser
}

/** Headers by which a right request would be refused, or be kept. */
const CONDITIONS = new Set(['if-match', 'if-none-match', 'idempotency-key'])

/**
 * A request that is right but for its markers: without `as` one of them is in its `Authorization`.
 *
 * @param conditions whether the headers that put conditions are there
 */
export function rightRequest(
  planting: Planting,
  { as, conditions = true }: { as?: TestUser; conditions?: boolean } = {},
): PlantedRequest {
  const { canaries, placed, target } = planting
  const { authorization, ...others } = plantedHeaders(canaries, placed.operation.operationId)
  const headers = Object.fromEntries(
    Object.entries(others).filter(([name]) => conditions || !CONDITIONS.has(name)),
  )
  const payload = bodyOf(planting)
  return {
    method: METHODS[placed.method] ?? 'GET',
    url: placed.path.replace('{id}', target.user.id).replace('{session_id}', target.session_id),
    ...(payload === undefined ? {} : { payload }),
    ...(as ? { as, headers } : { headers: { ...headers, authorization } }),
  }
}

function bodyOf({ canaries, document, placed: { operation }, target }: Planting): object | undefined {
  const { user, password, refresh_token } = target
  const asksPassword = ['login', 'reauthenticate'].includes(operation.operationId)
  const credentials = asksPassword ? { email: user.email, password } : {}
  return plantedBody(canaries, document, operation, {
    current_password: password,
    refresh_token,
    ...credentials,
  })
}

/** Requests that are each wrong in another way. */
export function wrongRequests(planting: Planting, as: TestUser): PlantedRequest[] {
  const { canaries, placed } = planting
  const { operationId } = placed.operation
  const secret = () => `${canaries.plant('secret', `what is broken of ${operationId}`)} long`
  const right = () => rightRequest(planting, { as })
  const body = () => bodyOf(planting) ?? {}
  const url = placed.path.replace(/\{\w+\}/g, () => canaries.plant('path', `a parameter of ${operationId}`))
  const all = [
    { ...right(), query: { q: secret(), password: secret() } },
    { ...right(), url },
    { ...right(), payload: { ...body(), unknown: secret() } },
    { ...right(), payload: mapped(body(), (value) => [value]) },
    { ...right(), payload: mapped(body(), (value) => String(value).repeat(100)) },
    text(right(), `{"password":"${secret()}"`),
    text(right(), secret()),
    text(right(), `{"password":"${secret()}\\ud800"}`),
    text(right(), JSON.stringify(secret().repeat(20_000))),
    text(right(), secret(), 'text/plain'),
  ]
  // Injected requests can't have a body with GET.
  return placed.method === 'get' ? all.slice(0, 2) : all
}

function text(request: PlantedRequest, payload: string, type = 'application/json'): PlantedRequest {
  return { ...request, payload, headers: { ...request.headers, 'content-type': type } }
}

function mapped(body: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, change(value)]))
}
