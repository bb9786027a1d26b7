import type { FastifyInstance } from 'fastify'
import { buildApp } from '../../app.ts'
import type { Role } from '../../schemas/users.ts'
import type { Document } from '../contract/document.ts'
import { createTestDatabase, type Owner } from '../database.ts'
import { signUp, type TestUser, testConfig } from '../helper.ts'

/** Limits are raised, so that they don't hide everything else; no worker is there to be slow or in the way. */
const SETTINGS = {
  APP_ROLE: 'web',
  APP_LOG__LEVEL: 'error',
  APP_AUTH__LOGIN_LIMIT__PER_ACCOUNT: '1000000',
  APP_AUTH__LOGIN_LIMIT__PER_ADDRESS: '1000000',
}

/** Milliseconds after which a user is replaced, long before the token expires. */
const MAX_AGE = 5 * 60_000

/** An application and the users of it, who are replaced when something has been done to them. */
export class World {
  readonly app: FastifyInstance
  readonly document: Document
  /** Lines of the log: what somebody should look at. */
  readonly errors: string[]
  /** The operation that each request came to, by its request id; undefined when it came to none. */
  readonly operations = new Map<string, string | undefined>()
  readonly #users = new Map<string, { user: TestUser; since: number }>()

  private constructor(app: FastifyInstance, errors: string[]) {
    this.app = app
    this.document = readDocument(app.swagger())
    this.errors = errors
  }

  /** Makes the application with a database of its own; both end with `owner`. */
  static async create(owner: Owner, env: Record<string, string> = {}): Promise<World> {
    const db = await createTestDatabase(owner)
    const errors: string[] = []
    const operations: World[] = []
    const app = await buildApp(testConfig(db.url, { ...SETTINGS, ...env }), {
      logger: { level: 'error', stream: { write: (line) => void errors.push(line) } },
      extend: async (instance) => {
        instance.addHook('onSend', async (request) => {
          const id = request.is404 ? undefined : request.routeOptions.schema?.operationId
          operations[0]?.operations.set(request.id, id)
        })
      },
    })
    owner.teardown(() => app.close())
    const world = new World(app, errors)
    operations.push(world)
    // Whatever the others do, there is an admin left.
    await signUp(app, { role: 'admin' })
    return world
  }

  /** A user with this role that is as it was made. */
  user(role: Role): Promise<TestUser> {
    return this.#get(role, role)
  }

  /** Another one, for others to do things to. */
  subject(): Promise<TestUser> {
    return this.#get('subject', 'user')
  }

  /** Something may have been done to any of them. */
  renew(): void {
    this.#users.clear()
  }

  async #get(name: string, role: Role): Promise<TestUser> {
    const kept = this.#users.get(name)
    if (kept && Date.now() - kept.since < MAX_AGE) return kept.user
    const user = await signUp(this.app, { role })
    this.#users.set(name, { user, since: Date.now() })
    return user
  }
}

function readDocument(document: object): Document {
  if (!isDocument(document)) throw new TypeError('the document is not OpenAPI 3.1')
  return JSON.parse(JSON.stringify(document))
}

function isDocument(document: object): document is Document {
  return 'openapi' in document && String(document.openapi).startsWith('3.1.')
}
