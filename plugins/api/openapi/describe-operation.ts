import type { RouteOptions } from 'fastify'
import type { OpenAPIV3 } from 'openapi-types'
import type { ErrorDefinition } from '#lib/errors.ts'
import { takesApiKeys } from '#plugins/api/authentication/demands.ts'
import { maxAgeSeconds, type Requirement } from '#plugins/api/authentication/step-up.ts'
import { isScope } from '#services/api-keys/caller.ts'
import { rolesWith } from '#services/members/permissions.ts'
import { errorsOf, isLimited } from './errors-of.ts'
import { describeResumable } from './resumable.ts'
import type { SharedResponses } from './shared-responses.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The answer is one resource with an entity tag (`reply.sendVersioned`), changes take `If-Match`. `partly` says that it
     * holds more than the tag names, such as when a key was last used: `If-None-Match` is not looked at then.
     */
    versioned?: boolean | 'partly'
  }
}

/** Headers of every answer to a request that is counted. */
const LIMIT_HEADERS: Record<string, OpenAPIV3.ReferenceObject> = {
  'ratelimit-limit': { $ref: '#/components/headers/RateLimitLimit' },
  'ratelimit-remaining': { $ref: '#/components/headers/RateLimitRemaining' },
  'ratelimit-reset': { $ref: '#/components/headers/RateLimitReset' },
}

/** The body of an upload. */
const BYTES: OpenAPIV3.RequestBodyObject = {
  description: 'The bytes, as they are. Any `Content-Type` is taken, and none believed.',
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
}

const REQUEST_ID = { $ref: '#/components/headers/RequestId' }

/** Headers of errors, by status. */
const ERROR_HEADERS: Readonly<Record<string, Record<string, OpenAPIV3.ReferenceObject>>> = {
  401: { 'www-authenticate': { $ref: '#/components/headers/WwwAuthenticate' } },
  429: { 'retry-after': { $ref: '#/components/headers/RetryAfter' } },
  503: { 'retry-after': { $ref: '#/components/headers/RetryAfter' } },
}

/** Adds to an operation who may call it, the errors that it can return, and its headers. */
export function describeOperation(
  operation: OpenAPIV3.OperationObject,
  route: RouteOptions,
  shared: SharedResponses,
): void {
  operation.security = security(route)
  describePermission(operation, route)
  operation.responses ??= {}
  const { responses } = operation
  for (const parameter of operation.parameters ?? []) describeParameter(parameter)
  if (route.config?.requires) describeRequirement(operation, route.config.requires)
  if (route.config?.content) describeContent(operation, responses)
  if (route.config?.upload) operation.requestBody = BYTES
  if (route.config?.resumable) describeResumable(operation, String(route.method))
  if (route.config?.versioned) describeVersions(operation, responses, route)
  if (responses['201']) addHeaders(responses['201'], { location: { $ref: '#/components/headers/Location' } })
  if (route.config?.idempotent) describeReplay(responses)
  const limited = isLimited(route)
  const common = { 'x-request-id': REQUEST_ID, ...(limited ? LIMIT_HEADERS : {}) }
  for (const response of Object.values(responses)) addHeaders(response, common)
  for (const [status, definitions] of byStatus(errorsOf(route))) {
    const response = problemResponse(definitions)
    addHeaders(response, { ...ERROR_HEADERS[status], ...common })
    responses[status] ??= shared.refer({ definitions, limited, response })
  }
}

function describeParameter(parameter: OpenAPIV3.ParameterObject | OpenAPIV3.ReferenceObject): void {
  if ('$ref' in parameter || !parameter.schema || '$ref' in parameter.schema) return
  const { schema, example } = parameter
  // What has a default can be left out.
  if ('default' in schema) parameter.required = false
  // Swagger UI fills in and sends a parameter's own example: a cursor that no list issued, a key that was used.
  if (example !== undefined) Object.assign(schema, { examples: [example] })
  delete parameter.example
}

function security(route: RouteOptions): OpenAPIV3.SecurityRequirementObject[] {
  if (route.schema?.operationId === 'getMetrics') return [{}, { metricsToken: [] }]
  const { access, ...demands } = route.config ?? {}
  if (access === undefined || access === 'public') return []
  const byKey = takesApiKeys({ ...demands, access }) ? [{ apiKey: [] }] : []
  return access === 'api_key' ? byKey : [{ accessToken: [] }, ...byKey]
}

/** For people in the description, for programs as an extension. */
function describeRequirement(operation: OpenAPIV3.OperationObject, requires: Requirement): void {
  const seconds = maxAgeSeconds(requires)
  const exception = requires.unless === undefined ? '' : `, unless it is your ${requires.unless}`
  const sentence =
    `Needs a proof of who you are of the last ${seconds / 60} minutes${exception}: a sign-in or ` +
    '`reauthenticate`. Otherwise the answer is 401 `reauthentication_required`.'
  operation.description = `${operation.description} ${sentence}`
  Object.assign(operation, { 'x-max-authentication-age': seconds })
}

/** Says which members may call it, for people and for programs. */
function describePermission(operation: OpenAPIV3.OperationObject, { config }: RouteOptions): void {
  const permission = config?.permission
  if (permission === undefined) return
  const roles = rolesWith(permission).join(', ')
  const keys = isScope(permission) ? ', and API keys with this scope' : ''
  operation.description = `${operation.description} Needs \`${permission}\`: ${roles}${keys}.`
  Object.assign(operation, { 'x-permission': permission })
}

function describeVersions(
  operation: OpenAPIV3.OperationObject,
  responses: OpenAPIV3.ResponsesObject,
  { method, config }: RouteOptions,
): void {
  const reads = method === 'GET'
  const isKnownByTag = config?.versioned === true
  const parameter = reads ? 'IfNoneMatch' : 'IfMatch'
  if (method !== 'POST' && (isKnownByTag || !reads)) {
    operation.parameters = [...(operation.parameters ?? []), { $ref: `#/components/parameters/${parameter}` }]
  }
  if (reads && isKnownByTag) responses['304'] = { description: 'The client has this version already.' }
  for (const status of ['200', '201', '304']) {
    addHeaders(responses[status], { etag: { $ref: '#/components/headers/ETag' } })
  }
}

/** An answer that is the content of a file can be a part of it, or none where the client has it. */
function describeContent(operation: OpenAPIV3.OperationObject, responses: OpenAPIV3.ResponsesObject): void {
  const names = ['Range', 'IfRange', 'IfNoneMatch']
  const parameters = names.map((name) => ({ $ref: `#/components/parameters/${name}` }))
  operation.parameters = [...(operation.parameters ?? []), ...parameters]
  const whole = responses['200']
  if (whole === undefined || '$ref' in whole) return
  responses['206'] = { ...whole, description: 'The part of the content that `Range` names.' }
  responses['302'] = {
    description: 'The store itself has the content, at `Location`, for a minute (`files.s3.download`).',
  }
  responses['304'] = { description: 'The client has this content already.' }
  for (const status of ['200', '206', '304']) {
    addHeaders(responses[status], { etag: { $ref: '#/components/headers/ETag' } })
  }
}

/** Every answer that is kept may be one that was given before. */
function describeReplay(responses: OpenAPIV3.ResponsesObject): void {
  for (const status of ['200', '201', '202']) {
    addHeaders(responses[status], { 'idempotency-replayed': { $ref: '#/components/headers/Replayed' } })
  }
}

function byStatus(errors: readonly ErrorDefinition[]): Map<string, ErrorDefinition[]> {
  const groups = new Map<string, ErrorDefinition[]>()
  for (const definition of errors) {
    const status = String(definition.status)
    groups.set(status, [...(groups.get(status) ?? []), definition])
  }
  return groups
}

function problemResponse(definitions: readonly ErrorDefinition[]): OpenAPIV3.ResponseObject {
  const examples = definitions.map(({ code, title, status, detail }) => {
    const value = {
      type: `urn:problem-type:${code}`,
      title,
      status,
      detail,
      code,
      request_id: REQUEST_ID_EXAMPLE,
    }
    return [code, { summary: title, value }] as const
  })
  return {
    description: definitions.map(({ code, detail }) => `\`${code}\`: ${detail}`).join('\n\n'),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(examples),
      },
    },
  }
}

const REQUEST_ID_EXAMPLE = '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'

function addHeaders(
  response: OpenAPIV3.ResponseObject | OpenAPIV3.ReferenceObject | undefined,
  headers: Record<string, OpenAPIV3.ReferenceObject>,
): void {
  if (response === undefined || '$ref' in response) return
  response.headers = { ...response.headers, ...headers }
}
