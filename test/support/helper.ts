import { Writable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { buildApp } from '#app.ts'
import { loadConfig } from '#config/load.ts'
import type { Config } from '#config/schema/schema.ts'
import { loggerOptions } from '#lib/log/logger.ts'
import type { Role, User } from '#schemas/users.ts'
import * as sessionRecords from '#services/sessions/records.ts'
import * as userRecords from '#services/users/records.ts'
import { watchResponses } from '#test/contract/response-contract.ts'
import { createTestDatabase, type Owner, type TestDatabase } from './database.ts'
import './share-compiled.ts'

/** One line of the log. */
export type LogRecord = Record<string, unknown>

/** A user of a test, signed in. */
export interface TestUser {
  user: User
  password: string
  session_id: string
  refresh_token: string
  /** To be sent with requests. */
  headers: { authorization: string }
}

export interface TestApp {
  app: FastifyInstance
  db: TestDatabase
  /** Whatever was logged so far, one text a line. */
  logLines: string[]
  /** The same, parsed. */
  logs(): LogRecord[]
  /** Sends a request; `as` signs it. */
  request(options: InjectOptions & { as?: TestUser }): Promise<LightMyRequestResponse>
  /** Makes a user and signs it in. */
  signUp(options?: { role?: Role; email?: string; username?: string; password?: string }): Promise<TestUser>
}

/** Limits that a busy machine does not reach, so that no test depends on its speed. */
const PATIENCE = {
  APP_DATABASE__LOCK_TIMEOUT: '60s',
  APP_DATABASE__STATEMENT_TIMEOUT: '120s',
  APP_DATABASE__IDLE_IN_TRANSACTION_TIMEOUT: '120s',
  APP_DATABASE__QUERY_TIMEOUT: '125s',
}

/** Costs of a hash so low that no deployment may have them. */
const CHEAP_HASHES = { memory_cost: 64 * 1024, time_cost: 1, parallelism: 1 }

/**
 * The configuration of a test: the test environment's, with these variables over it. Hashes of passwords take almost no
 * work, unless one of the variables is about them.
 */
export function testConfig(url: string, env: Record<string, string> = {}): Config {
  const base = { APP_ENVIRONMENT: 'test', APP_DATABASE__URL: url, APP_DATABASE__MIGRATE_ON_START: 'false' }
  const { config } = loadConfig({ env: { ...base, ...PATIENCE, ...env } })
  if (Object.keys(env).some((name) => name.startsWith('APP_AUTH__ARGON2__'))) return config
  const argon2 = { ...config.auth.argon2, ...CHEAP_HASHES }
  return { ...config, auth: { ...config.auth, argon2 } }
}

/**
 * Makes an application with a database of its own; both end with `t`. Every response that is not as the
 * OpenAPI document says fails `t`. `borrowTestApp` takes a tenth of the time.
 *
 * @param extend a plugin of the test's own, which comes after the application's
 */
export function createTestApp(
  t: Test,
  env: Record<string, string> = {},
  extend?: FastifyPluginAsync,
): Promise<TestApp> {
  return buildTestApp(t, env, { violated: (violation) => failAt(t, violation), extend })
}

/** Fails a test for something that no line of it says. */
export function failAt(t: Test, message: string): void {
  t.fail(message, { at: null, stack: '' })
}

interface BuildOptions {
  /** Called for every response that is not as the OpenAPI document says. */
  violated(violation: string): void
  extend?: FastifyPluginAsync | undefined
  /** Called when the application ends. */
  closed?(): void
}

/** Makes an application with a database of its own; both end with their owner. */
export async function buildTestApp(
  owner: Owner,
  env: Record<string, string>,
  { violated, extend, closed }: BuildOptions,
): Promise<TestApp> {
  const db = await createTestDatabase(owner)
  const logLines: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logLines.push(...chunk.toString().trimEnd().split('\n'))
      done()
    },
  })
  const config = testConfig(db.url, { APP_LOG__LEVEL: 'debug', ...env })
  const app = await buildApp(config, {
    logger: { ...loggerOptions(config.log), stream },
    extend: async (instance, options) => {
      watchResponses(instance, violated, extend !== undefined)
      instance.addHook('onClose', async () => closed?.())
      await extend?.(instance, options)
    },
  })
  owner.teardown(async () => {
    await app.close()
    await app.mailbox?.clear()
  })

  return {
    app,
    db,
    logLines,
    logs: () => logLines.map((line): LogRecord => JSON.parse(line)),
    request: ({ as, ...options }) =>
      app.inject({ ...options, headers: { ...as?.headers, ...options.headers } }),
    signUp: (options) => signUp(app, options),
  }
}

/** A hash takes a core for a while, and most users of a test have the same password. */
const hashes = new Map<string, Promise<string>>()

function hashed(app: FastifyInstance, password: string): Promise<string> {
  const { memory_cost, time_cost, parallelism } = app.config.auth.argon2
  const key = JSON.stringify([password, memory_cost, time_cost, parallelism])
  const hash = hashes.get(key) ?? app.ctx.passwords.hash(password)
  hashes.set(key, hash)
  return hash
}

/** Makes a user and signs it in. */
export async function signUp(
  app: FastifyInstance,
  {
    role = 'user',
    password = 'correct horse battery staple',
    ...names
  }: Parameters<TestApp['signUp']>[0] = {},
): Promise<TestUser> {
  const unique = uuidv7().slice(-12)
  const input = { email: `${unique}@example.com`, username: unique, ...names }
  const user = await userRecords.insert(app.ctx, {
    ...input,
    role,
    verified: true,
    password_hash: await hashed(app, password),
  })
  const { sessionId: session_id, refreshToken: refresh_token } = await sessionRecords.open(app.ctx, user)
  const headers = { authorization: `Bearer ${app.tokens.issue(user, session_id)}` }
  return { user, password, session_id, refresh_token, headers }
}
