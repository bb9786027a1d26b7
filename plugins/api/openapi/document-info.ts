import type { SwaggerOptions } from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { OpenAPIV3_1 } from 'openapi-types'
import type { Config } from '#config/schema/schema.ts'
import { RESUMABLE_PARAMETERS } from './resumable.ts'

type OpenApi = NonNullable<Extract<SwaggerOptions, { openapi?: unknown }>['openapi']>

/** The ways to authenticate. */
const SECURITY_SCHEMES: Record<string, OpenAPIV3_1.SecuritySchemeObject> = {
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `access_token` that `login` returns.',
  },
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'gwk_[0-9a-f]{136}',
    description:
      'A key of an organization (`createApiKey`), for programs. It reaches what its scopes name, in its organization.',
  },
  metricsToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The value of `metrics.token`, if it is set.',
  },
}

/** The document's description of the API as a whole. */
export function documentInfo(app: FastifyInstance): OpenApi {
  const { product } = app.config
  return {
    openapi: '3.1.0',
    info: {
      title: product.name,
      version: app.appVersion,
      summary: 'Users, authentication and operations of a SaaS backend.',
      description:
        'JSON in snake_case; times are RFC 3339 in UTC with milliseconds; ids are UUIDs. Errors are problem ' +
        'documents (RFC 9457) with a stable `code`. Input is taken literally: bodies are never coerced and ' +
        'unknown properties are refused. Lists are paged by an opaque `cursor`. Every response carries ' +
        '`x-request-id`.',
      ...contact(product),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: servers(app.config.server),
    tags: [
      { name: 'auth', description: 'Signing in.' },
      { name: 'users', description: 'User accounts.' },
      { name: 'organizations', description: 'Organizations and their members.' },
      { name: 'invitations', description: 'Becoming a member of an organization.' },
      { name: 'api-keys', description: 'Keys with which programs work in an organization.' },
      { name: 'audit', description: 'Who did what in an organization.' },
      { name: 'webhooks', description: 'Messages about events of an organization to a server of yours.' },
      { name: 'files', description: 'Files of users and of organizations.' },
      { name: 'realtime', description: 'What happens, told live.' },
      { name: 'uploads', description: 'Uploads of files that can be continued.' },
      { name: 'projects', description: 'Projects of an organization.' },
      { name: 'events', description: 'What happens in the service, told to others.' },
      { name: 'operations', description: 'For load balancers, monitoring and operators.' },
      { name: 'jobs', description: 'Work that is done later, for operators.' },
      { name: 'mails', description: 'Mails and what became of them, for operators.' },
      { name: 'administration', description: 'Accounts and organizations of all, for operators.' },
    ],
    components: {
      headers: {
        UploadOffset: header('integer', 'Bytes of the upload that are stored durably.'),
        RequestId: header('string', 'Identifies the request in our logs.'),
        ETag: header('string', 'Entity tag of this version of the resource.'),
        Location: header('string', 'URL of the new resource.'),
        RetryAfter: header('integer', 'Seconds after which to try again.'),
        WwwAuthenticate: header(
          'string',
          'How to authenticate: `Bearer`, with `max_age` where signing in again is needed (RFC 9470).',
        ),
        RateLimitLimit: limitHeader('Points that the client has in a window.'),
        RateLimitRemaining: limitHeader('Points that it has left.'),
        RateLimitReset: limitHeader('Seconds until it has all of them again.'),
        Replayed: {
          description:
            '`true` if this is the stored response to an earlier request with the same `Idempotency-Key`; otherwise absent.',
          schema: { type: 'string', enum: ['true'] },
        },
      },
      parameters: {
        IfMatch: {
          name: 'If-Match',
          in: 'header',
          description: 'Entity tags of the versions that the change applies to; any other is a 412.',
          schema: { type: 'string' },
        },
        IfNoneMatch: {
          name: 'If-None-Match',
          in: 'header',
          description: 'Entity tags that the client has; with one of them the answer is 304.',
          schema: { type: 'string' },
        },
        IfRange: {
          name: 'If-Range',
          in: 'header',
          description:
            'The entity tag that the content must still have for `Range` to count; otherwise all of it is sent.',
          schema: { type: 'string' },
        },
        Range: {
          name: 'Range',
          in: 'header',
          description:
            'The part to send, such as `bytes=0-1023`; several at once, and what is malformed, count for nothing.',
          schema: { type: 'string' },
        },
        ...RESUMABLE_PARAMETERS,
      },
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}

/**
 * The service where the document was read, which is below `/docs`: under any name or path of a proxy, "Try it out"
 * calls the same. Its public URL, where it has one, is for documents that were saved.
 */
function servers({ public_url }: Config['server']): OpenAPIV3_1.ServerObject[] {
  const relative = { url: '..', description: 'The service that this document comes from.' }
  return public_url === undefined
    ? [relative]
    : [relative, { url: public_url, description: 'Its public URL.' }]
}

/** Whom to ask, where the configuration says it. */
function contact({ name, url, support }: Config['product']): Pick<OpenApi['info'] & object, 'contact'> {
  if (support === undefined) return url === undefined ? {} : { contact: { name, url } }
  const address = support.includes('://') ? { url: support } : { ...(url ? { url } : {}), email: support }
  return { contact: { name: `${name} support`, ...address } }
}

/** A header that is always there. */
function header(type: 'string' | 'integer', description: string): OpenAPIV3_1.HeaderObject {
  return { description, required: true, schema: { type } }
}

/** A header that is there unless the operator has turned limits off. */
function limitHeader(description: string): OpenAPIV3_1.HeaderObject {
  return { description, schema: { type: 'integer' } }
}
