import type { FastifyInstance } from 'fastify'
import { buildApp } from '#app.ts'
import type { Role } from '#schemas/users.ts'
import type { Document } from '#test/contract/document.ts'
import { createTestDatabase, type Owner } from '#test/support/database.ts'
import { signUp, type TestUser, testConfig } from '#test/support/helper.ts'

/** Limits are raised, so that they don't hide everything else; no worker is there to be slow or in the way. */
const SETTINGS = {
  APP_ROLE: 'web',
  APP_LOG__LEVEL: 'error',
  APP_AUTH__LOGIN_LIMIT__PER_ACCOUNT: '1000000',
  APP_AUTH__LOGIN_LIMIT__PER_ADDRESS: '1000000',
}

/** Names the operation that a request came to, in its response. */
export const OPERATION_HEADER = 'x-test-operation'

/** An application with a database of its own, and its document. */
export interface World {
  readonly app: FastifyInstance
  readonly document: Document
  /** Lines of the log that somebody should look at. */
  readonly errors: readonly string[]
}

/** Makes the application; it ends with `owner`. */
export async function createWorld(owner: Owner): Promise<World> {
  const db = await createTestDatabase(owner)
  const errors: string[] = []
  const app = await buildApp(testConfig(db.url, SETTINGS), {
    // An admin's request may turn more on.
    logger: { level: 'error', stream: { write: (line) => void (isError(line) && errors.push(line)) } },
    extend: async (instance) => {
      instance.addHook('onSend', async (request, reply) => {
        const id = request.is404 ? undefined : request.routeOptions.schema?.operationId
        if (id !== undefined) reply.header(OPERATION_HEADER, id)
      })
    },
  })
  owner.teardown(() => app.close())
  // Whatever is done to the others, there is an admin left.
  await signUp(app, { role: 'admin' })
  return { app, document: readDocument(app.swagger()), errors }
}

/** Milliseconds after which a user is replaced: before the token expires, and the sign-in is too old to delete. */
const MAX_AGE = 3 * 60_000

/** Users who are kept until something may have been done to them. */
export class Users {
  readonly #app: FastifyInstance
  readonly #kept = new Map<string, { user: TestUser; since: number }>()

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  /** A user that is as it was made, the same for the same name. */
  async get(name: string, role: Role): Promise<TestUser> {
    const kept = this.#kept.get(name)
    if (kept && Date.now() - kept.since < MAX_AGE) return kept.user
    const user = await signUp(this.#app, { role })
    this.#kept.set(name, { user, since: Date.now() })
    return user
  }

  /** Something may have been done to any of them. */
  renew(): void {
    this.#kept.clear()
  }
}

export function readDocument(document: object): Document {
  if (!isDocument(document)) throw new TypeError('the document is not OpenAPI 3.1')
  return JSON.parse(JSON.stringify(document))
}

function isDocument(document: object): document is Document {
  return 'openapi' in document && String(document.openapi).startsWith('3.1.')
}

/** Whether somebody should look at a line; pino's number for `error` is 50. */
function isError(line: string): boolean {
  const { level }: { level: number } = JSON.parse(line)
  return level >= 50
}
