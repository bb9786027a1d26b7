import type { KeyObject } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Encryption } from '#lib/encryption/encryption.ts'
import {
  type Answer,
  findAnswer,
  identify,
  once,
  type RepeatableRequest,
} from '#lib/idempotency/idempotency.ts'
import { deriveKey } from '#lib/secrets/secrets.ts'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import { IdempotencyHeaders } from '#schemas/idempotency.ts'
import { principalId } from '#services/authentication/principal.ts'
import { entityTag } from './conditional-requests.ts'

/** The resource that a request has created. */
interface Creation {
  /** 201 unless it says otherwise. */
  readonly status?: number
  /** URL of the new resource. */
  readonly location?: string
  /** The answer; what has an `updated_at` gets an `ETag` where the route is `versioned`. */
  readonly body: object
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The route creates something, so it takes `Idempotency-Key` and answers by `reply.sendOnce`. With `secret` the answer
     * holds a secret, and is kept encrypted.
     */
    idempotent?: true | 'secret'
  }
  interface FastifyRequest {
    /** Set when the client has sent an `Idempotency-Key`. */
    repeatable: RepeatableRequest | undefined
  }
  interface FastifyReply {
    /**
     * Does the work and sends what it has created; where the client has sent a key, in one transaction with
     * keeping the answer. So what is slow (password hashes, other services) comes before it.
     */
    sendOnce(work: (ctx: AppContext) => Promise<Creation>): Promise<FastifyReply>
    /** Whether `sendOnce` or an earlier answer was sent. */
    answeredOnce: boolean
  }
}

/** `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): creating something is safe to repeat. */
export default fp(
  async (app) => {
    const { secret } = app.config.jwt
    const key = deriveKey(secret, 'idempotency fingerprints')
    const encryption = new Encryption(deriveKey(secret, 'idempotency answers').export())
    app.decorateRequest('repeatable', undefined)
    app.decorateReply('answeredOnce', false)

    /** Sends the stored response, if there is one, before any expensive work. */
    async function replay(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
      request.repeatable = repeatableRequest(request, key, encryption)
      if (request.repeatable === undefined) return undefined
      const answer = await findAnswer(request.ctx, request.repeatable)
      return answer && sendAnswer(reply, { answer, replayed: true })
    }

    app.addHook('onRoute', (route) => {
      if (!route.config?.idempotent) return
      route.schema = { ...route.schema, headers: IdempotencyHeaders }
      route.preHandler = [replay, ...[route.preHandler ?? []].flat()]
      route.onSend = [assertOnce, ...[route.onSend ?? []].flat()]
    })

    app.decorateReply('sendOnce', async function (this: FastifyReply, work) {
      const { ctx, repeatable } = this.request
      return sendAnswer(this, await once(ctx, repeatable, async (tx) => render(this, await work(tx))))
    })
  },
  { name: 'idempotency' },
)

function repeatableRequest(
  request: FastifyRequest,
  key: KeyObject,
  encryption: Encryption,
): RepeatableRequest | undefined {
  const header = request.headers['idempotency-key']
  if (typeof header !== 'string') return undefined
  const { principal, params, query, body, routeOptions } = request
  const { 'content-length': length } = request.headers
  const { idempotent, upload: isUpload } = routeOptions.config
  const { organization_id: organization }: { organization_id?: string } = Object(params)
  const identified = identify(key, {
    operation: String(routeOptions.schema?.operationId),
    caller: principal === undefined ? null : principalId(principal),
    idempotencyKey: header.replaceAll('"', ''),
    organization,
    // A body of bytes is not read yet: a repeated request is answered before them.
    input: { params, query, body: isUpload ? (length ?? null) : body },
  })
  return idempotent === 'secret' ? { ...identified, encryption } : identified
}

/** Makes the answer as it will be sent, now and again. */
function render(reply: FastifyReply, { status = 201, location, body }: Creation): Answer {
  const { versioned } = reply.request.routeOptions.config
  return {
    status,
    location: location ?? null,
    etag: versioned && isVersion(body) ? entityTag(body.updated_at) : null,
    body: String(reply.code(status).serialize(body)),
  }
}

function isVersion(body: object): body is { updated_at: string } {
  return 'updated_at' in body && typeof body.updated_at === 'string'
}

function sendAnswer(
  reply: FastifyReply,
  { answer, replayed }: { answer: Answer; replayed: boolean },
): FastifyReply {
  const { status, location, etag, body } = answer
  if (location !== null) reply.locate(location)
  if (etag !== null) reply.header('etag', etag)
  if (replayed) reply.header('idempotency-replayed', 'true')
  reply.answeredOnce = true
  return reply.code(status).type('application/json; charset=utf-8').send(body)
}

/** A route that takes keys and answers past `sendOnce` would do its work twice. */
async function assertOnce({ routeOptions }: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (reply.statusCode >= 300 || reply.answeredOnce) return
  throw new Error(`${routeOptions.schema?.operationId} is idempotent, so it has to answer by sendOnce`)
}
