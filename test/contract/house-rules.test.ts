import t from 'tap'
import { member, operationsOf, type PlacedOperation, responsesOf, type Schema, walk } from './document.ts'
import { document, rule } from './rules.ts'

const operations = operationsOf(document)
const VERBS = [
  ...['create', 'get', 'list', 'update', 'delete', 'login', 'logout', 'reauthenticate'],
  // Where none of these says what happens: tokens, mailed links, passwords, sessions, invitations, members.
  ...['refresh', 'verify', 'resend', 'forgot', 'reset', 'change', 'end', 'invite'],
  ...[
    'leave',
    'remove',
    'restore',
    'transfer',
    'appoint',
    'suspend',
    'release',
    'inspect',
    'accept',
    'decline',
  ],
  ...['revoke', 'rotate', 'export', 'test', 'retry', 'recover'],
  // Of what is replaced whole: the content of a file, an avatar.
  ...['put', 'set'],
  // Of an answer without an end.
  'stream',
  // Of what comes in parts.
  ...['sign', 'complete'],
  'append',
  // Of what runs the service: queues, jobs, mails, accounts.
  ...['pause', 'preview', 'resume', 'run', 'search', 'send', 'start', 'stop', 'purge'],
]

/** The operations for which `breaks` is true. */
function which(breaks: (placed: PlacedOperation) => boolean): string[] {
  return operations.filter(breaks).map(({ operation }) => operation.operationId)
}

/** The operations that lack one of these statuses. */
function without(statuses: string[], asked: (placed: PlacedOperation) => boolean): string[] {
  return which((placed) => {
    return asked(placed) && !statuses.every((status) => placed.operation.responses?.[status])
  })
}

function isSecured({ operation }: PlacedOperation): boolean {
  const required = operation.security ?? []
  return required.length > 0 && required.every((requirement) => Object.keys(requirement).length > 0)
}

t.test('there are operations to look at', async (t) => t.ok(operations.length > 10))

rule(
  'an operationId is a verb that we use, and a noun',
  () =>
    which(
      ({ operation }) => !new RegExp(`^(?:${VERBS.join('|')})[A-Z][A-Za-z]+$`).test(operation.operationId),
    ),
  ['login', 'logout', 'reauthenticate'],
)

rule('an operationId is used once', () => {
  const ids = operations.map(({ operation }) => operation.operationId)
  return ids.filter((id, index) => ids.indexOf(id) !== index)
})

rule('an operation has a summary and a description', () =>
  which(({ operation: { summary, description } }) => !summary || summary.endsWith('.') || !description),
)

rule('an operation has one tag, which the document describes', () =>
  which(({ operation: { tags = [] } }) => {
    const declared = document.tags?.find(({ name }) => name === tags[0])
    return tags.length !== 1 || !declared?.description
  }),
)

rule(
  'operations under /api want an access token, but for these',
  () => which((placed) => placed.path.startsWith('/api/') && !isSecured(placed)),
  [
    'acceptInvitation',
    'createUser',
    'declineInvitation',
    'forgotPassword',
    'getSharedFile',
    'inspectInvitation',
    'login',
    'refreshTokens',
    'resendVerification',
    'resetPassword',
    'verifyEmail',
  ],
)

rule('secured operations can answer 401', () => without(['401'], isSecured))

rule('what is for admins says so, and can answer 403, or 404 where it is hidden', () => {
  const isForAdmins = ({ operation }: PlacedOperation) => /\badmins\b/.test(operation.description ?? '')
  const isHidden = ({ path }: PlacedOperation) => path.startsWith('/api/v1/operations/')
  return [
    ...without(['403'], (placed) => isForAdmins(placed) && !isHidden(placed)),
    ...without(['404'], isHidden),
    ...which((placed) => isHidden(placed) && !isForAdmins(placed)),
  ]
})

rule('everything can answer 400 and 500', () => without(['400', '500'], () => true))

rule('what reads a body can answer 413 and 415', () =>
  without(['413', '415'], ({ method }) => method !== 'get'),
)

rule(
  'what creates takes an Idempotency-Key, and can answer 409',
  () =>
    which(({ method, operation: { parameters = [], responses } }) => {
      const takesKey = parameters.some(
        (parameter) => 'name' in parameter && parameter.name === 'idempotency-key',
      )
      return method === 'post' && responses?.['201'] !== undefined && !(takesKey && responses['409'])
    }),
  // tus has none. One that is created twice expires.
  ['createOrganizationUpload', 'createUpload'],
)

rule('what has path parameters can answer 404', () => without(['404'], ({ path }) => path.includes('{')))

rule('everything can be too much, but for probes', () => without(['503'], () => true), [
  'getLiveness',
  'getMetrics',
])

rule(
  'errors are problem documents that name their codes',
  () =>
    responses(({ status, response }) => {
      const problem = member(response, 'content', 'application/problem+json')
      const isNamed = member(problem, 'schema')?.['$ref'] === '#/components/schemas/Problem'
      return (
        Number(status) >= 400 && (!isNamed || Object.keys(member(problem, 'examples') ?? {}).length === 0)
      )
    }),
  // The checks' results are the answer.
  ['getReadiness 503', 'getHealth 503'],
)

rule('errors are shared components', () =>
  operations.flatMap(({ operation: { operationId, responses = {} } }) =>
    Object.entries(responses)
      .filter(([, response]) => member(response, 'content', 'application/problem+json'))
      .map(([status]) => `${operationId} ${status}`),
  ),
)

rule('every response has x-request-id', () =>
  responses(({ response }) => {
    return member(response, 'headers', 'x-request-id')?.['$ref'] !== '#/components/headers/RequestId'
  }),
)

rule('401 says how to sign in', () =>
  responses(({ status, response }) => status === '401' && !member(response, 'headers', 'www-authenticate')),
)

rule(
  '503 says when to come back',
  () => responses(({ status, response }) => status === '503' && !member(response, 'headers', 'retry-after')),
  ['getReadiness 503', 'getHealth 503'],
)

rule('bodies of JSON are named components', () => {
  const found: string[] = []
  walk(document.paths, (node, pointer) => {
    if (!/[/+]json$/.test(pointer)) return
    if (!String(member(node, 'schema')?.['$ref']).startsWith('#/components/schemas/')) found.push(pointer)
  })
  return found
})

rule('no component is copied into another', () => {
  const named = new Set(Object.values(document.components?.schemas ?? {}).map(shapeOf))
  const found: string[] = []
  walk(document, (node, pointer) => {
    const shape = shapeOf(node)
    // Components themselves may be alike: pages are.
    const isComponent = /^\/components\/schemas\/[^/]+$/.test(pointer)
    if (shape !== undefined && named.has(shape) && !isComponent) found.push(pointer)
  })
  return found
})

rule('an object has the properties that are listed and no other', () =>
  schemas((schema) => 'properties' in schema && schema['additionalProperties'] !== false),
)

rule('every property is described', () =>
  properties((property) => !('$ref' in property) && !property['description']),
)

rule('every property has an example, but for those made of others', () =>
  properties((property) => {
    const isMadeOfOthers = '$ref' in property || property['type'] === 'array' || property['type'] === 'object'
    return !isMadeOfOthers && !('examples' in property)
  }),
)

rule('every parameter is described and has an example', () =>
  operations.flatMap(({ operation: { operationId, parameters = [] } }) =>
    parameters
      .filter((parameter) => {
        return !('$ref' in parameter) && !(parameter.description && member(parameter, 'schema')?.['examples'])
      })
      .map((parameter) => `${operationId} ${'name' in parameter ? parameter.name : ''}`),
  ),
)

rule('no parameter has a value that Swagger UI sends by itself, but for defaults', () =>
  operations.flatMap(({ operation: { operationId, parameters = [] } }) =>
    parameters
      .filter((parameter) => {
        return (
          'example' in parameter ||
          'examples' in parameter ||
          'example' in (member(parameter, 'schema') ?? {})
        )
      })
      .map((parameter) => `${operationId} ${'name' in parameter ? parameter.name : ''}`),
  ),
)

rule('what has a default need not be given', () =>
  operations.flatMap(({ operation: { operationId, parameters = [] } }) =>
    parameters
      .filter((parameter) => {
        return 'schema' in parameter && 'default' in (parameter.schema ?? {}) && parameter.required === true
      })
      .map((parameter) => `${operationId} ${'name' in parameter ? parameter.name : ''}`),
  ),
)

rule('names are in snake_case', () => {
  const found: string[] = []
  properties((_property, name) => {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) found.push(name)
    return false
  })
  return found
})

/** The responses that `breaks` finds, as "operation status". */
function responses(breaks: (found: { status: string; response: unknown }) => boolean): string[] {
  return operations.flatMap(({ operation }) =>
    responsesOf(document, operation)
      .filter(([status, response]) => breaks({ status, response }))
      .map(([status]) => `${operation.operationId} ${status}`),
  )
}

/** Pointers to the schemas of components that `breaks` finds. */
function schemas(breaks: (schema: Schema) => boolean): string[] {
  const found: string[] = []
  walk(document.components?.schemas, (node, pointer) => {
    if (breaks(node)) found.push(pointer)
  })
  return found
}

/** Pointers to the properties of objects that `breaks` finds. */
function properties(breaks: (property: Schema, name: string) => boolean): string[] {
  const found: string[] = []
  walk(document.components?.schemas, (node, pointer) => {
    for (const name of Object.keys(member(node, 'properties') ?? {})) {
      const property = member(node, 'properties', name)
      if (property && breaks(property, name)) found.push(`${pointer}/${name}`)
    }
  })
  return found
}

/** The property names of an object schema, which tell one of ours from another; undefined for anything else. */
function shapeOf(schema: unknown): string | undefined {
  const names = Object.keys(member(schema, 'properties') ?? {}).sort()
  return names.length > 1 ? JSON.stringify([names, member(schema)?.['minProperties']]) : undefined
}
