import { isDeepStrictEqual } from 'node:util'
import type { OpenAPIV3 } from 'openapi-types'
import type { ErrorDefinition } from '#lib/errors.ts'

/** Errors that come with every other of their status, so names say them only where they stand alone. */
const IMPLIED: ReadonlySet<string> = new Set(['bad_request', 'invalid_text', 'overloaded', 'rate_limited'])

/** Errors that mostly come together, under one name. */
const BUNDLES: readonly (readonly [name: string, codes: readonly string[]])[] = [
  ['InvalidBody', ['validation_failed', 'value_not_storable', 'invalid_json']],
  ['RefusedPassword', ['password_breached', 'password_holds_identity', 'password_too_common']],
]

/** Headers and content of an error response that operations refer to. */
export interface SharedResponse {
  /** All of one status. */
  readonly definitions: readonly ErrorDefinition[]
  /** Whether the request counts against a rate limit, which the headers tell. */
  readonly limited: boolean
  readonly response: OpenAPIV3.ResponseObject
}

/** The error responses of a document, each once: operations with the same errors refer to the same component. */
export class SharedResponses {
  readonly components: Record<string, OpenAPIV3.ResponseObject> = {}

  /**
   * Adds a response unless it is there already, and returns a reference to it.
   *
   * @throws Error when another response has the same name
   */
  refer({ definitions, limited, response }: SharedResponse): OpenAPIV3.ReferenceObject {
    const name = nameOf(definitions, limited)
    const known = this.components[name]
    if (known !== undefined && !isDeepStrictEqual(known, response)) {
      throw new Error(`two different responses are called ${name}`)
    }
    this.components[name] = response
    return { $ref: `#/components/responses/${name}` }
  }
}

/** `UserNotFound`, `EmailTakenOrUsernameTaken`: the codes that tell this response from others of its status. */
function nameOf(definitions: readonly ErrorDefinition[], limited: boolean): string {
  const codes = definitions.map(({ code }) => code)
  const telling = codes.filter((code) => !IMPLIED.has(code))
  const words = bundle(telling.length > 0 ? telling : codes.slice(0, 1))
  return `${words.map(pascalCase).join('Or')}${limited ? '' : 'Unlimited'}`
}

function bundle(codes: readonly string[]): string[] {
  const present = BUNDLES.filter(([, members]) => members.every((member) => codes.includes(member)))
  const bundled = present.flatMap(([, members]) => members)
  return [...codes.filter((code) => !bundled.includes(code)), ...present.map(([name]) => name)]
}

function pascalCase(code: string): string {
  return code.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}
