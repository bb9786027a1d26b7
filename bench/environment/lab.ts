import type { Generator } from '../load/load.ts'
import { type ServerProcess, startServer } from '../system/server-process.ts'
import contract from '../targets/contract.json' with { type: 'json' }
import { fill, parseTarget, type Target } from '../targets/target.ts'
import type { BenchPostgres } from './database.ts'
import { emailOf, PASSWORD } from './seed.ts'
import { JWT_SECRET, startService } from './service.ts'
import { type Account, type Subject, signIn } from './subject.ts'
import { visit } from './visit.ts'

/** Databases of a run; their sizes are the run's. `open` is as small as `small`, and has no policies. */
export type DatabaseName = 'small' | 'large' | 'open'

/** Somebody else's server; the run starts it when it has no origin. */
export interface Guest {
  readonly target: Target
  readonly origin?: string | undefined
  /** Its process, when it is on this machine. */
  readonly pid?: number | undefined
}

export interface LabOptions {
  readonly directory: string
  readonly generator: Generator
  readonly postgres: BenchPostgres
  /** Users in each database, and projects, but no fewer than an organization has. */
  readonly sizes: Readonly<Record<DatabaseName, number>>
  /** Connections of each load, unless a scenario says otherwise. */
  readonly connections: number
  /** Variables of the service, over those of a run and a scenario. */
  readonly env: Readonly<Record<string, string>>
  readonly guests: readonly Guest[]
  /** Is told what takes a while. */
  readonly onWork: (what: string) => void
}

export interface ServiceVariant {
  database?: DatabaseName
  /** Variables over those of the run. */
  env?: Record<string, string>
  /** How many users are signed in, besides the admin. */
  users?: number
  /** A module that its process loads before it. */
  preload?: string
}

/** A server that the run has started. */
export type OwnSubject = Subject & { readonly server: ServerProcess }

/** The description of the service's own contract (docs/api.md), which others may speak too. */
export const CONTRACT = parseTarget(contract)

/** Starts what scenarios measure. Databases live as long as the run, servers until `endServers`. */
export class Lab {
  readonly options: LabOptions
  readonly #databases = new Map<DatabaseName, Promise<string>>()
  readonly #servers: ServerProcess[] = []

  constructor(options: LabOptions) {
    this.options = options
  }

  /** Returns the URL; creates the database at the first call. */
  database(name: DatabaseName): Promise<string> {
    const { postgres, sizes, onWork } = this.options
    let url = this.#databases.get(name)
    if (url === undefined) {
      onWork(`filling a table with ${sizes[name].toLocaleString('en')} users`)
      url = postgres.createDatabase(name, sizes[name], { policies: name !== 'open' })
      this.#databases.set(name, url)
    }
    return url
  }

  /** Starts the service. */
  async service(
    name = CONTRACT.name,
    { database = 'small', env = {}, users = 1, preload }: ServiceVariant = {},
  ): Promise<OwnSubject> {
    const databaseUrl = await this.database(database)
    const { directory, onWork } = this.options
    onWork(`starting ${name}`)
    const variables = { ...env, ...this.options.env }
    const server = this.#keep(await startService({ name, directory, databaseUrl, env: variables, preload }))
    return {
      target: { ...CONTRACT, name },
      isOwn: true,
      server,
      ...(await signInSeeded(server.origin, CONTRACT, users)),
    }
  }

  /** Starts a server on the service's own table; one that can't sign anybody in is given the service's tokens. */
  async start(
    target: Target,
    like: Pick<Subject, 'admin' | 'users'>,
    database: DatabaseName = 'small',
  ): Promise<OwnSubject> {
    if (!target.start) throw new Error(`${target.name} does not say how it is started`)
    const { directory, onWork } = this.options
    onWork(`starting ${target.name}`)
    const { command, env = {}, cwd = process.cwd(), ready } = target.start
    const [program = '', ...args] = command
    const shared = { database_url: await this.database(database), jwt_secret: JWT_SECRET }
    const server = this.#keep(
      await startServer({
        name: target.name,
        directory,
        // The Node that runs this, which need not be the one on the PATH.
        command: program === 'node' ? process.execPath : program,
        args,
        cwd,
        readyPath: ready,
        env: (port) => {
          const values = { ...shared, port: String(port) }
          return Object.fromEntries(Object.entries(env).map(([name, text]) => [name, fill(text, values)]))
        },
      }),
    )
    const { admin, users } = target.sign_in ? await signInSeeded(server.origin, target, 1) : like
    return { target, isOwn: false, server, admin, users }
  }

  /** The servers of others, ready for requests. */
  async guests(like: Pick<Subject, 'admin' | 'users'>, database?: DatabaseName): Promise<Subject[]> {
    const subjects: Subject[] = []
    for (const { target, origin, pid } of this.options.guests) {
      subjects.push(
        origin === undefined
          ? await this.start(target, like, database)
          : await visit({ target, origin, pid }),
      )
    }
    return subjects
  }

  /** Ends all servers that were started. */
  async endServers(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.stop()))
  }

  #keep(server: ServerProcess): ServerProcess {
    this.#servers.push(server)
    return server
  }
}

/** Signs in the table's admin and so many of its users, one after the other: a hash takes a core. */
async function signInSeeded(
  origin: string,
  target: Target,
  count: number,
): Promise<Pick<Subject, 'admin' | 'users'>> {
  const accounts: Account[] = []
  for (let number = 0; number <= count; number++) {
    accounts.push(await signIn(origin, target, { email: emailOf(number), password: PASSWORD }))
  }
  const [admin, ...users] = accounts
  return { admin, users }
}
