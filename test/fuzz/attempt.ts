import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { ResponseContract } from '#test/contract/response-contract.ts'
import type { TestUser } from '#test/support/helper.ts'
import { tenantOf } from './live-values.ts'
import type { FuzzedOperation } from './operations.ts'
import { draftRequest, type Plan } from './plans.ts'
import { type DraftRequest, injectOptions, type Signer, urlOf } from './request.ts'
import { SchemaValues } from './schema-values.ts'
import { OPERATION_HEADER, type Users, type World } from './world.ts'

/** A request that was sent, and what is wrong with the reply. */
export interface Attempt {
  status: number
  violations: readonly string[]
  draft: DraftRequest
  reply: string
}

/** Problems that a valid request of an authorized caller must never cause. */
const CALLED_INVALID = [
  'validation_failed',
  'invalid_json',
  'invalid_text',
  'unsupported_media_type',
  'bad_request',
]

/** Holds the replies of an application against its document. */
export class Attempts {
  readonly values: SchemaValues
  readonly app: FastifyInstance
  readonly #contract: ResponseContract

  constructor({ app, document }: World) {
    this.app = app
    this.#contract = new ResponseContract(document)
    this.values = new SchemaValues(document)
  }

  /** Carries a plan out. */
  async run(operation: FuzzedOperation, plan: Plan, users: Users): Promise<Attempt> {
    const { app } = this
    const actor = plan.as === 'nobody' ? undefined : await users.get(plan.as, plan.as)
    // Admins act on others where the path says on whom; what says nothing is about oneself.
    const isAboutOthers = plan.as !== 'user' && operation.path.includes('/users/{')
    const subject = actor && !isAboutOthers ? actor : await users.get('subject', 'user')
    const situation = { app, actor, subject }
    const draft = await draftRequest(operation, plan, situation)
    if (plan.breakages.length === 0) await this.#pointCursor(draft, actor)
    const signer = actor && operation.onlyByKey ? await (await tenantOf(situation)).createApiKey() : actor
    const response = await app.inject(injectOptions(draft, signer?.headers.authorization))
    if (operation.method !== 'GET' && response.statusCode < 400) users.renew()
    const violations = this.#violations(operation, plan, draft, response)
    return { status: response.statusCode, violations, draft, reply: response.body }
  }

  /** A cursor that is right comes from the page before. */
  async #pointCursor(draft: DraftRequest, actor: TestUser | undefined): Promise<void> {
    const cursor = draft.query.find(([name]) => name === 'cursor')
    if (!cursor) return
    const others = draft.query.filter((pair) => pair !== cursor && pair[0] !== 'limit')
    const first = urlOf({ ...draft, query: [...others, ['limit', '1']] })
    const page = await this.app.inject({ url: first, headers: { ...actor?.headers } })
    const next: unknown = page.statusCode === 200 ? page.json().next_cursor : null
    draft.query = typeof next === 'string' ? [...others, ['cursor', next]] : others
  }

  #violations(
    operation: FuzzedOperation,
    plan: Plan,
    draft: DraftRequest,
    response: LightMyRequestResponse,
  ): string[] {
    const { statusCode: status, headers, body } = response
    const operationId = headers[OPERATION_HEADER]?.toString()
    const violations = this.#contract.violations({ operationId, status, headers, body })
    if (status >= 500) violations.push(`an answer of ${status}`)
    const isValid = plan.breakages.length === 0
    if (isValid && operationId !== operation.id) violations.push('it came to another operation')
    const code = status >= 400 && isValid && maySend(operation, plan.as) ? String(response.json().code) : ''
    if (CALLED_INVALID.includes(code)) violations.push(`${code}, though the document allows the request`)
    if (status < 300 && operationId === operation.id && this.#isForbidden(operation, draft)) {
      violations.push('it is accepted, though the document does not allow the body')
    }
    return violations
  }

  /** Whether the body is JSON, and not as the document says. */
  #isForbidden({ body: schema }: FuzzedOperation, { body, text }: DraftRequest): boolean {
    if (schema === undefined || text !== undefined) return false
    return !this.values.isValid(schema, JSON.parse(JSON.stringify(body ?? null)))
  }
}

/** Whether the document lets somebody send a request at all. */
function maySend({ secured }: FuzzedOperation, as: Signer): boolean {
  return !secured || as !== 'nobody'
}
