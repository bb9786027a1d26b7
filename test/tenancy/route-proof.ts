import type { LightMyRequestResponse } from 'fastify'
import { v7 as uuidv7 } from 'uuid'
import { rightPlan } from '#test/authorization/right-plan.ts'
import { operationsOf } from '#test/contract/document.ts'
import { useTenant } from '#test/fuzz/live-values.ts'
import { type FuzzedOperation, fuzzedOperations } from '#test/fuzz/operations.ts'
import { draftRequest } from '#test/fuzz/plans.ts'
import { type DraftRequest, injectOptions } from '#test/fuzz/request.ts'
import { SchemaValues } from '#test/fuzz/schema-values.ts'
import { readDocument } from '#test/fuzz/world.ts'
import { logContext, sealAll } from '#test/services/audit/log.ts'
import { signUp, type TestApp, type TestUser } from '#test/support/helper.ts'
import { createOrganization, type TestOrganization } from '#test/support/organizations.ts'
import { tenantColumn, tenantTablesOf } from './tables.ts'

/**
 * The proof that no route reaches what another organization has: ours, and theirs with a marker in each of its texts.
 */
export class RouteProof {
  readonly marker = `marker${uuidv7().slice(-12)}`
  /** The operations below an organization, as the document has them. */
  readonly operations: readonly FuzzedOperation[]
  /** The operation that is being tried, by its operationId. */
  current: string | undefined
  readonly #test: Pick<TestApp, 'app' | 'db'>
  readonly #values: SchemaValues
  readonly #byKey: readonly unknown[]
  readonly #found: string[] = []

  /** @param wanted operations to be tried, by their operationId; all if it is left out */
  constructor(test: Pick<TestApp, 'app' | 'db'>, wanted?: ReadonlySet<string>) {
    const document = readDocument(test.app.swagger())
    this.#test = test
    this.#values = new SchemaValues(document)
    this.operations = fuzzedOperations(document).filter(
      ({ id, path }) => path.includes('{organization_id}') && (wanted?.has(id) ?? true),
    )
    this.#byKey = operationsOf(document)
      .filter(({ operation }) => operation.security?.some((requirement) => 'apiKey' in requirement))
      .map(({ operation }) => operation.operationId)
  }

  /**
   * Sends each operation with all that is ours and with each id that is theirs, and returns a line for each answer that
   * is unlike that of what does not exist, or shows a marker, and for a change of a row of theirs. `prepared` is called
   * when all is there.
   */
  async violations(prepared: () => void = () => undefined): Promise<string[]> {
    const actors = await this.#prepare()
    const org = actors.theirs.organization.id
    const before = await this.#rowsOf(org)
    const values = new Set(before.flatMap((row) => Object.values(row)))
    // All of theirs, without the one person who is ours too.
    const ids = [...values].map(String).filter((id) => isId(id) && id !== actors.both.user.id)
    const texts = [...values].flatMap(textsOf)
    prepared()
    for (const operation of this.operations) {
      this.current = operation.id
      await this.#try(operation, { ...actors, ids, texts })
    }
    this.current = undefined
    const after = await this.#rowsOf(org)
    if (JSON.stringify(after) !== JSON.stringify(before)) this.#found.push('a row of theirs has changed')
    return this.#found
  }

  async #prepare(): Promise<Actors> {
    const { app } = this.#test
    const { marker } = this
    const [us, stranger, both] = [await signUp(app), await signUp(app), await signUp(app)]
    const theirs = await createOrganization(app, await signUp(app, { username: marker }))
    await theirs.createProject(marker)
    await theirs.createFile(marker)
    const { id } = await theirs.createFile()
    await app.inject({ method: 'DELETE', url: `${theirs.url}/files/${id}`, headers: theirs.owner.headers })
    await theirs.createUpload(marker)
    await theirs.invite(`${marker}@example.com`)
    await theirs.createApiKey({ name: marker })
    await theirs.createDelivery((await theirs.createWebhook()).id)
    const payload = { name: marker, slug: marker }
    await app.inject({ method: 'PATCH', url: theirs.url, payload, headers: theirs.owner.headers })
    await theirs.add('member', both)
    await sealAll(logContext(app))
    const key = await (await createOrganization(app, us)).createApiKey()
    return { us, stranger, both, key, theirs }
  }

  async #rowsOf(org: string): Promise<object[]> {
    const { db } = this.#test
    const rows: object[] = []
    // Events are changed by those who pass them on.
    for (const table of (await tenantTablesOf(db)).filter((name) => name !== 'events')) {
      const text = `SELECT * FROM ${table} r WHERE ${tenantColumn(table)} = $1 ORDER BY r::text`
      rows.push(...(await db.query(text, [org])))
    }
    return rows
  }

  async #try(operation: FuzzedOperation, actors: Actors & Theirs): Promise<void> {
    const { us, stranger, both, key, theirs } = actors
    const { app } = this.#test
    const plan = rightPlan(operation, this.#values, 1)
    const situation = { app, subject: us, actor: us }
    const ours = await createOrganization(app, us)
    useTenant(situation, { ...ours, second: await ours.add('owner', both) })
    const draft = await draftRequest(operation, plan, situation)
    const foreign = withParams(draft, { organization_id: theirs.organization.id })
    const nowhere = withParams(draft, { organization_id: uuidv7() })
    const unknown = await this.#send(nowhere, us)
    if (!/^404 .*"code":"organization_not_found"/.test(unknown)) this.#found.push(unknown)
    await this.#expect('their organization', foreign, us, unknown)
    await this.#expect('for one who is a member of nothing', draft, stranger, unknown)
    if (this.#byKey.includes(operation.id))
      await this.#expect('by a key of ours', foreign, key, await this.#send(nowhere, key))
    await this.#tryIds(draft, actors)
    // It comes last, as it may be the end of what is ours.
    await this.#tryOwn(operation.id, draft, actors)
  }

  /** Sends a request for what is ours, whose answer has no id but those of our rows, and no text of theirs. */
  async #tryOwn(operation: string, draft: DraftRequest, { us, texts }: Actors & Theirs): Promise<void> {
    const org = draft.params['organization_id'] ?? ''
    const before = await this.#rowsOf(org)
    const answer = await this.#send(draft, us)
    const ours = JSON.stringify([before, await this.#rowsOf(org)])
    for (const [id] of answer.matchAll(UUID)) {
      if (!ours.includes(id)) this.#found.push(`${operation} shows ${id}, which is not ours`)
    }
    const shown = texts.find((text) => answer.includes(text) && !ours.includes(text))
    if (shown !== undefined) this.#found.push(`${operation} shows ${shown}, which is theirs`)
  }

  /** Sends a request with each id of theirs in the place of each of ours. */
  async #tryIds(draft: DraftRequest, { us, ids }: Actors & Theirs): Promise<void> {
    // Others are words of a closed set, such as the name of a variant.
    const names = Object.keys(draft.params).filter((param) => /(?:^|_)id$/.test(param))
    for (const name of names.filter((param) => param !== 'organization_id')) {
      const missing = await this.#send(withParams(draft, { [name]: uuidv7() }), us)
      if (!missing.startsWith('404 ')) this.#found.push(`an unknown ${name}: ${missing}`)
      for (const id of ids)
        await this.#expect(`their ${name}`, withParams(draft, { [name]: id }), us, missing)
    }
    for (const name of idsIn(draft.body)) {
      const withId = (id: string) => ({ ...draft, body: { ...Object(draft.body), [name]: id } })
      const missing = await this.#send(withId(uuidv7()), us)
      for (const id of ids) await this.#expect(`their ${name} in the body`, withId(id), us, missing)
    }
  }

  async #expect(what: string, draft: DraftRequest, as: Actor, expected: string): Promise<void> {
    const answer = await this.#send(draft, as)
    if (answer !== expected)
      this.#found.push(`${draft.method} ${draft.path}: ${what}: ${answer} is not ${expected}`)
  }

  async #send(draft: DraftRequest, as: Actor): Promise<string> {
    const options = injectOptions(draft, as.headers.authorization)
    const headers = { ...options.headers, 'x-request-id': 'same' }
    const response = await this.#test.app.inject({ ...options, headers })
    if (response.body.includes(this.marker))
      this.#found.push(`${draft.method} ${draft.path} shows the marker`)
    return bytesOf(response)
  }
}

type Actor = Pick<TestUser, 'headers'>

interface Actors {
  readonly us: TestUser
  /** A member of nothing. */
  readonly stranger: TestUser
  /** A member of theirs, and an owner of each of ours. */
  readonly both: TestUser
  /** A key of ours, with every scope. */
  readonly key: Actor
  readonly theirs: TestOrganization
}

/** Values that only rows of the other organization have. */
interface Theirs {
  readonly ids: readonly string[]
  readonly texts: readonly string[]
}

function withParams(draft: DraftRequest, params: object): DraftRequest {
  return { ...draft, params: { ...draft.params, ...params } }
}

/** All of an answer that may not tell one thing from another. */
function bytesOf({ statusCode, headers, body }: LightMyRequestResponse): string {
  const { date, ...others } = headers
  return `${statusCode} ${JSON.stringify(others)} ${body}`
}

const UUID = /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/g
const isId = (text: string) => /^[0-9a-f-]{36}$/.test(text)

/** The forms in which an answer could show a value, if that is long enough to be known again. */
function textsOf(value: unknown): string[] {
  if (Buffer.isBuffer(value))
    return value.length < 16
      ? []
      : [value.toString('hex'), value.toString('base64'), value.toString('base64url')]
  return typeof value === 'string' && value.length >= 20 ? [value] : []
}

/** Names of the properties of a body that are ids. */
function idsIn(body: unknown): string[] {
  return Object.entries(Object(body))
    .filter(([, value]) => isId(String(value)))
    .map(([name]) => name)
}
