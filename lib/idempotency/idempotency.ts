import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Context } from '#lib/context.ts'
import { transaction } from '#lib/database/database.ts'
import { type Encryption, EncryptionError } from '#lib/encryption/encryption.ts'
import { digestToken } from '#lib/secrets/secrets.ts'
import { IdempotencyAnswerLost, IdempotencyKeyReused } from './errors.ts'
import type { Answer, StoredAnswer } from './queries.ts'
import * as queries from './queries.ts'
import { readAnswer } from './stored-answer.ts'

export type { Answer } from './queries.ts'

/** A request that its client may repeat, by what tells it from others. */
export interface RepeatableRequest {
  /** Digest of the operation, the caller, the key and the organization. */
  readonly id: Buffer
  /** Digest without the organization, by which versions before this one know requests below an organization. */
  readonly formerId?: Buffer
  /** Keyed digest of what was sent. */
  readonly fingerprint: Buffer
  /** Encrypts the body of the answer, where it holds a secret that the database must not have. */
  readonly encryption?: Encryption
}

interface RequestParts {
  /** The operationId. */
  readonly operation: string
  /** Who asks: the user's id, or what names another caller. Null for anonymous clients, who share one scope. */
  readonly caller: string | null
  /** As the client chose it. */
  readonly idempotencyKey: string
  /** The organization below which the request is: the same key in another one is another request. */
  readonly organization?: string | undefined
  /** Parameters and body after validation, so in their normal form. */
  readonly input: unknown
}

/**
 * Identifies a request. Bodies contain passwords, so comparing with what is stored of them needs `key`. The id does not
 * depend on it: after a change of the secret, a repeated request is refused, not done twice.
 */
export function identify(
  key: KeyObject,
  { operation, caller, idempotencyKey, organization, input }: RequestParts,
): RepeatableRequest {
  const fingerprint = createHmac('sha256', key).update(canonical(input)).digest()
  const parts = [operation, caller, idempotencyKey]
  const formerId = digestToken(JSON.stringify(parts))
  if (organization === undefined) return { id: formerId, fingerprint }
  return { id: digestToken(JSON.stringify([...parts, organization])), formerId, fingerprint }
}

/**
 * Returns the response that the request has had, or undefined.
 *
 * @throws IdempotencyKeyReused when it was another request that had this key; IdempotencyAnswerLost when the row is not
 * as `once` wrote it, since the request was done and must not be done again
 */
export async function findAnswer(
  ctx: Pick<Context, 'db' | 'log'>,
  request: RepeatableRequest,
): Promise<Answer | undefined> {
  const { id, fingerprint } = request
  const found = await queries.selectAnswer(ctx.db, id)
  if (found === undefined) return findFormer(ctx, request)
  const isWhole = found.fingerprint.length === fingerprint.length
  if (isWhole && !timingSafeEqual(found.fingerprint, fingerprint)) throw new IdempotencyKeyReused()
  const answer = isWhole ? readAnswer(opened(found, request)) : undefined
  if (answer !== undefined) return answer
  ctx.log.error({ idempotency_id: id.toString('hex') }, 'a kept answer is not as it was written')
  throw new IdempotencyAnswerLost()
}

/** Returns the answer that an instance of an older version has given, if it was to this very request. */
async function findFormer(
  ctx: Pick<Context, 'db' | 'log'>,
  { formerId, ...request }: RepeatableRequest,
): Promise<Answer | undefined> {
  if (formerId === undefined) return undefined
  const found = await queries.selectAnswer(ctx.db, formerId)
  if (found === undefined || !found.fingerprint.equals(request.fingerprint)) return undefined
  return findAnswer(ctx, { ...request, id: formerId })
}

/**
 * Does the work of a request once: in one transaction with the answer's storage, in which `work` takes part by
 * the context that it is given. Of several at once one works and the others wait for its answer. What throws
 * leaves nothing behind, and the next one works. A transaction is held open meanwhile, so nothing slow belongs
 * into `work`.
 *
 * @param request undefined when the client gave no key: then `work` is all there is, without a transaction
 * @throws IdempotencyKeyReused, IdempotencyAnswerLost and what `work` throws
 */
export async function once<C extends Pick<Context, 'db' | 'log'>>(
  ctx: C,
  request: RepeatableRequest | undefined,
  work: (ctx: C) => Promise<Answer>,
): Promise<{ answer: Answer; replayed: boolean }> {
  if (request === undefined) return { answer: await work(ctx), replayed: false }
  return transaction(ctx, async (tx) => {
    if (!(await queries.claimKey(tx.db, request.id, request.fingerprint))) {
      const answer = await findAnswer(tx, request)
      /* c8 ignore next: for the type; what could not be claimed is there, and locked. */
      if (answer === undefined) throw new Error('an idempotency key is neither free nor taken')
      return { answer, replayed: true }
    }
    const { formerId, fingerprint } = request
    const isFirst = formerId === undefined || (await queries.claimKey(tx.db, formerId, fingerprint))
    const former = isFirst ? undefined : await findFormer(tx, request)
    const answer = former ?? (await work(tx))
    const ids = isFirst && formerId !== undefined ? [request.id, formerId] : [request.id]
    for (const id of ids) await queries.updateAnswer(tx.db, id, sealed(answer, { ...request, id }))
    return { answer, replayed: former !== undefined }
  })
}

/** The answer as it is kept. */
function sealed(answer: Answer, { id, encryption }: RepeatableRequest): Answer {
  if (encryption === undefined) return answer
  return { ...answer, body: encryption.encrypt(answer.body, placeOf(id)).toString('base64') }
}

/** The kept answer as it was sent; without its body where that cannot be read. */
function opened(answer: StoredAnswer, { id, encryption }: RepeatableRequest): StoredAnswer {
  if (encryption === undefined || answer.body === null) return answer
  try {
    return { ...answer, body: encryption.decrypt(Buffer.from(answer.body, 'base64'), placeOf(id)) }
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error
    return { ...answer, body: null }
  }
}

const placeOf = (id: Buffer): string => `the answer of ${id.toString('hex')}`

/** JSON in which the order of names does not matter. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => {
    const isObject = typeof member === 'object' && member !== null && !Array.isArray(member)
    return isObject ? Object.fromEntries(Object.entries(member).sort(byName)) : member
  })
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}
