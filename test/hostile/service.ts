import pg from 'pg'
import type { Test } from 'tap'
import { SYSTEM } from '#lib/context.ts'
import { PoolDatabase } from '#lib/database/pool-database.ts'
import type { Role } from '#schemas/users.ts'
import { EntryMacs } from '#services/audit/macs.ts'
import { Passwords } from '#services/passwords/passwords.ts'
import * as userRecords from '#services/users/records.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { call } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import type { ActorName } from './case.ts'

/** A user of the catalogue, signed in. */
export interface Actor {
  id: string
  email: string
  username: string
  password: string
  token: string
  refresh_token: string
}

export interface HostileService {
  service: TestService
  port: number
  db: TestDatabase
  actors: Readonly<Record<ActorName, Actor>>
}

export const METRICS_TOKEN = 'metrics-token-of-the-hostile-catalogue'
const ALLOWED_ORIGIN = 'https://app.example.com'
const PASSWORD = 'correct horse battery staple'

/**
 * Production's settings, with what an operator has to give. It serves and does not work on jobs: there is no mail
 * server, and nothing but requests is to change the database.
 */
const SETTINGS = {
  APP_ENVIRONMENT: 'production',
  APP_ROLE: 'web',
  APP_SERVER__HOST: '127.0.0.1',
  APP_SERVER__PUBLIC_URL: 'https://api.example.com',
  APP_SERVER__DRAIN_DELAY: '0s',
  APP_JWT__SECRET: 'only-for-the-hostile-catalogue-0123456789',
  APP_CORS__ALLOWED_ORIGINS: `${ALLOWED_ORIGIN},https://admin.example.com`,
  APP_METRICS__TOKEN: METRICS_TOKEN,
  // Every case comes from one address, and is to meet the service itself.
  APP_AUTH__LOGIN_LIMIT__PER_ADDRESS: '1000000',
  APP_RATE_LIMIT__PER_ADDRESS: '1000000',
  APP_RATE_LIMIT__PER_USER: '1000000',
}

/** Starts the service as a process, with a user, another one and an admin. */
export async function startHostileService(t: Test): Promise<HostileService> {
  const db = await createTestDatabase(t)
  const service = await startService(t, { ...SETTINGS, APP_DATABASE__URL: db.url })
  const credentials = await createUsers(db.url)
  const actors = {
    user: await signIn(service.url, credentials.user),
    other: await signIn(service.url, credentials.other),
    admin: await signIn(service.url, credentials.admin),
  }
  return { service, port: Number(new URL(service.url).port), db, actors }
}

type Credentials = Pick<Actor, 'id' | 'email' | 'username' | 'password'>

async function createUsers(url: string): Promise<Record<ActorName, Credentials>> {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  pool.on('error', () => undefined)
  const db = new PoolDatabase(pool, {
    queried: () => undefined,
    waited: () => undefined,
    repeated: () => undefined,
    cancelled: () => undefined,
  })
  const client = { ip: '127.0.0.1', userAgent: null, actor: SYSTEM, requestId: null }
  const marker = new EntryMacs(Buffer.from('of a test'))
  const hash = await new Passwords(
    { memory_cost: 19 * 1024 ** 2, time_cost: 2, parallelism: 1, max_queue: 8 },
    { hashed: () => undefined },
  ).hash(PASSWORD)
  const create = async (name: string, role: Role): Promise<Credentials> => {
    const input = { email: `${name}@example.com`, username: name, role, password_hash: hash, verified: true }
    return { ...(await userRecords.insert({ db, client, marker }, input)), password: PASSWORD }
  }
  try {
    return {
      user: await create('ada', 'user'),
      other: await create('grace', 'user'),
      admin: await create('root', 'admin'),
    }
  } finally {
    db.close()
    await pool.end()
  }
}

async function signIn(url: string, { id, email, username, password }: Credentials): Promise<Actor> {
  const { status, text } = await call(`${url}/api/v1/auth/login`, {
    method: 'POST',
    json: { email, password },
  })
  if (status !== 200) throw new Error(`signing ${username} in failed: ${text}`)
  const { access_token: token, refresh_token } = JSON.parse(text)
  return { id, email, username, password, token, refresh_token }
}
