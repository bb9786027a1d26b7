import type { FastifyContextConfig, RouteOptions } from 'fastify'
import { DatabaseUnavailable, ValueNotStorable } from '#lib/database/errors.ts'
import type { ErrorClass, ErrorDefinition } from '#lib/errors.ts'
import { IdempotencyAnswerLost, IdempotencyKeyReused } from '#lib/idempotency/errors.ts'
import { RateLimited } from '#lib/rate-limits/errors.ts'
import { refusesImpersonators, takesApiKeys } from '#plugins/api/authentication/demands.ts'
import { PreconditionFailed, RangeNotSatisfiable } from '#plugins/api/files/errors.ts'
import {
  BadRequest,
  InternalError,
  InvalidJson,
  InvalidText,
  Overloaded,
  PayloadTooLarge,
  RouteNotFound,
  UnsupportedMediaType,
  ValidationFailed,
} from '#plugins/http/errors/http-errors.ts'
import { ApiKeyNotAllowed, InsufficientScope } from '#services/api-keys/errors.ts'
import { Unauthenticated } from '#services/authentication/errors.ts'
import { OrganizationNotFound, OrganizationSuspended } from '#services/organizations/errors.ts'
import { ImpersonationForbidsThis, ReauthenticationRequired } from '#services/sessions/errors.ts'
import { Forbidden } from '#services/users/errors.ts'

/** Every error that a route can give: its own, and those that follow from what it takes and who may call it. */
export function errorsOf(route: RouteOptions): ErrorDefinition[] {
  const { config = {}, schema = {} } = route
  // In one order, so that routes with the same errors share a component of the document.
  const own = [...(config.errors ?? [])].sort((a, b) => (a.definition.code < b.definition.code ? -1 : 1))
  const errors = new Set<ErrorClass>(own)
  const add = (...more: ErrorClass[]) => {
    for (const error of more) errors.add(error)
  }
  add(BadRequest, InvalidText)
  if (schema.body || schema.params || schema.querystring || schema.headers) add(ValidationFailed)
  if (schema.body) add(ValueNotStorable)
  if (config.idempotent) add(IdempotencyKeyReused, IdempotencyAnswerLost)
  // Every method but these has its body read, wanted or not.
  if (config.content) add(PreconditionFailed, RangeNotSatisfiable)
  if (config.upload) add(UnsupportedMediaType)
  else if (route.method !== 'GET') add(InvalidJson, PayloadTooLarge, UnsupportedMediaType)
  add(...errorsOfAccess(config))
  if (config.requires) add(ReauthenticationRequired)
  if (config.permission !== undefined) add(OrganizationNotFound, OrganizationSuspended)
  if (config.access !== undefined) add(DatabaseUnavailable)
  if (isLimited(route)) add(RateLimited)
  if (!config.probe) add(Overloaded)
  add(InternalError)
  return [...errors].map((error) => error.definition)
}

/** The errors for those who may not call a route. */
function errorsOfAccess(config: FastifyContextConfig): ErrorClass[] {
  const { access, permission, requires } = config
  if (access === undefined || access === 'public') return []
  const errors: ErrorClass[] = [Unauthenticated]
  if (requires) errors.push(ReauthenticationRequired)
  if (access === 'user' && refusesImpersonators({ ...config, access })) errors.push(ImpersonationForbidsThis)
  if (access === 'operator') return [...errors, RouteNotFound]
  if ((access !== 'user' && access !== 'caller') || permission !== undefined) errors.push(Forbidden)
  if (!takesApiKeys({ ...config, access })) errors.push(ApiKeyNotAllowed)
  else if (permission !== undefined) errors.push(InsufficientScope)
  return errors
}

/** Whether requests for a route are counted. */
export function isLimited({ config = {} }: RouteOptions): boolean {
  return !config.probe && config.cost !== 0
}
