import type { InvalidValue } from '#schemas/problem.ts'

/** The part of an error that clients see; declared beside the service that throws it. */
export interface ErrorDefinition {
  /** Stable identifier, snake_case, documented in docs/api/errors.md. */
  readonly code: string
  /** HTTP status of the answer. */
  readonly status: number
  /** The kind of problem in a few words. */
  readonly title: string
  /** The problem, for people. An instance may be more precise. */
  readonly detail: string
}

interface ErrorOptions {
  /** Replaces the definition's detail. */
  detail?: string
  /** When to come back, in seconds; becomes `Retry-After`. */
  retryAfter?: number
  /** `WWW-Authenticate` of a 401, where it says more than `Bearer`. */
  challenge?: string
  /** Values of the request that are invalid. */
  errors?: readonly InvalidValue[]
  /** The error underneath. It goes to the log, never to the client. */
  cause?: unknown
}

/** An error that the client may know of. Everything else is an `internal_error`. */
export class ServiceError extends Error {
  readonly definition: ErrorDefinition
  readonly retryAfter: number | undefined
  readonly challenge: string | undefined
  readonly errors: readonly InvalidValue[] | undefined

  constructor(definition: ErrorDefinition, options: ErrorOptions = {}) {
    super(options.detail ?? definition.detail, { cause: options.cause })
    this.name = 'ServiceError'
    this.definition = definition
    this.retryAfter = options.retryAfter
    this.challenge = options.challenge
    this.errors = options.errors
  }
}

/** A class of errors with one definition: `throw new EmailTaken()`; routes name it to document it. */
export interface ErrorClass {
  new (options?: ErrorOptions): ServiceError
  readonly definition: ErrorDefinition
}

const catalogue = new Map<string, ErrorDefinition>()

/**
 * Declares an error. Codes are unique over the whole service.
 *
 * @throws Error when the code is taken
 */
export function defineError(definition: ErrorDefinition): ErrorClass {
  if (catalogue.has(definition.code)) throw new Error(`the error code ${definition.code} is defined twice`)
  catalogue.set(definition.code, definition)
  return class extends ServiceError {
    static readonly definition = definition
    constructor(options?: ErrorOptions) {
      super(definition, options)
    }
  }
}

/** Every error declared by the modules loaded so far, by code. */
export function errorCatalogue(): ReadonlyMap<string, ErrorDefinition> {
  return catalogue
}
