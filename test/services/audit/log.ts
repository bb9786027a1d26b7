import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import pg from 'pg'
import type { Test } from 'tap'
import type { Database } from '#lib/database/database.ts'
import { run } from '#lib/database/run.ts'
import { types } from '#lib/database/types.ts'
import type { KeyRing } from '#lib/signing-keys/key-ring.ts'
import { takeCheckpoint } from '#services/audit/checkpoints.ts'
import { type AuditKeys, noteKeysOf } from '#services/audit/keys.ts'
import { sealBatch } from '#services/audit/sealer.ts'

/** The context of the audit log's functions, with a key that signs. */
export interface LogContext {
  readonly db: Database
  readonly now: () => Date
  readonly audit: AuditKeys
}

const pem = (key: KeyObject, type: 'spki' | 'pkcs8') => key.export({ type, format: 'pem' }).toString()

/** A key ring that no file has. */
function newKeyRing(): KeyRing {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '', kid: '', use: 'sig', alg: 'EdDSA' } as const
  const keys = { publicKey: pem(publicKey, 'spki'), privateKey: pem(privateKey, 'pkcs8') }
  return { signing: { file: '', kid: '', jwk, isExposed: false, ...keys }, others: [] }
}

/** The application's context, with a key that signs checkpoints. */
export function logContext(app: FastifyInstance, keyRing = newKeyRing()): LogContext {
  const { macs } = app.ctx.audit
  return { db: app.db, now: app.ctx.now, audit: { macs, keyRing, noteKeys: noteKeysOf(keyRing) } }
}

/** Seals everything that waits. */
export async function sealAll(ctx: LogContext): Promise<number> {
  let sealed = 0
  for (let hasMore = true; hasMore; ) {
    const batch = await sealBatch(ctx)
    sealed += batch.sealed
    hasMore = batch.hasMore
  }
  return sealed
}

/** Seals everything that waits, and takes a checkpoint; returns its note. */
export async function checkpoint(ctx: LogContext): Promise<string> {
  await sealAll(ctx)
  const { note, problems } = await takeCheckpoint(ctx)
  if (note === undefined) throw new Error(`no checkpoint: ${JSON.stringify(problems)}`)
  return note
}

/** A database as the owner of the server sees it: one connection, which no trigger and no policy binds. */
export async function openAsSuperuser(t: Test, url: string): Promise<Database> {
  const client = new pg.Client({ connectionString: url, types })
  await client.connect()
  t.teardown(() => client.end())
  await client.query("SET session_replication_role = 'replica'")
  const observer = {
    queried: () => undefined,
    waited: () => undefined,
    repeated: () => undefined,
    cancelled: () => undefined,
  }
  const db: Database = {
    query: ({ scope: _scope, ...statement }) => run(client, { ...statement, prepare: false }, observer),
    transaction: (work) => work(db),
  }
  return db
}
