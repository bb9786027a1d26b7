import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { Database } from '#lib/database/database.ts'
import { OrgDatabase, SystemDatabase } from '#lib/database/scoped-database.ts'
import { digestToken } from '#lib/secrets/secrets.ts'
import * as keys from '#services/api-keys/queries.ts'
import * as intake from '#services/audit/queries-of-intake.ts'
import * as events from '#services/events/queries.ts'
import * as mails from '#services/mail/queries.ts'
import * as members from '#services/members/queries.ts'
import * as operations from '#services/operations/queries.ts'
import * as organizations from '#services/organizations/queries.ts'
import * as closing from '#services/organizations/queries-of-administration.ts'
import * as presence from '#services/realtime/presence/queries.ts'
import * as registration from '#services/registration/queries.ts'
import * as securityEvents from '#services/security-events/queries.ts'
import * as sessions from '#services/sessions/queries.ts'
import * as storage from '#services/storage/queries.ts'
import * as users from '#services/users/queries.ts'
import * as webhooks from '#services/webhooks/queries.ts'
import * as deliveries from '#services/webhooks/queries-of-deliveries.ts'
import * as waitingDeliveries from '#services/webhooks/queries-of-waiting.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import type { TestApp } from '#test/support/helper.ts'
import { waiting } from '#test/support/locks.ts'
import { createOrganization } from '#test/support/organizations.ts'

const ROOT = join(import.meta.dirname, '../..')
const NIL = '00000000-0000-0000-0000-000000000000'
const LOCK = /\bFOR (?:NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)\b/

const HOUR_MS = 3_600_000
const system = (db: Database) => new SystemDatabase(db)

/** Rows that every test has one of: ids and keys. */
type Rows = Awaited<ReturnType<typeof createRows>>

interface Case {
  /** Asks for the lock. */
  readonly take: (db: Database, rows: Rows) => Promise<unknown>
  /** The rows that it locks, as after FROM. */
  readonly of: string
}

/** Statements whose rows nobody else changes until the transaction ends. */
const KEPT: Readonly<Record<string, Case>> = {
  'api-keys/queries.ts: lockKey': { take: (db, { org, key }) => keys.lockKey(org(db), key), of: 'api_keys' },
  'mail/queries.ts: lockMail': { take: (db, { mail }) => mails.lockMail(db, mail), of: 'mails' },
  'members/queries.ts: lockMembers': {
    take: (db, { org }) => members.lockMembers(org(db)),
    of: 'organizations WHERE deleted_at IS NULL',
  },
  'operations/queries.ts: lockRunningAction': {
    take: (db, { action }) => operations.lockRunningAction(db, action),
    of: 'job_actions',
  },
  'organizations/queries-of-administration.ts: lockClosing': {
    take: (db, { id }) => closing.lockClosing(system(db), id),
    of: 'organizations WHERE deleted_at IS NULL',
  },
  'organizations/queries.ts: selectPurgeable': {
    take: (db) => organizations.selectPurgeable(system(db), 1000),
    of: 'organizations WHERE deleted_at IS NOT NULL',
  },
  'registration/queries.ts: lockRegistrations': {
    take: (db, { digest }) => registration.lockRegistrations(db, digest),
    of: 'registrations',
  },
  'sessions/queries.ts: lockSessionByToken': {
    take: (db, { token }) => sessions.lockSessionByToken(db, digestToken(token)),
    of: 'sessions',
  },
  'storage/queries.ts: holdObject': {
    take: (db, { kept }) => storage.holdObject(db, kept),
    of: "stored_objects WHERE state = 'kept'",
  },
  'storage/queries.ts: replacedObject': {
    take: (db, { growing, kept }) => storage.growObject(db, growing, 1, { quota: 1_000_000, replaced: kept }),
    of: "stored_objects WHERE state = 'kept'",
  },
  'users/queries.ts: lockCredentials': {
    take: (db, { user }) => users.lockCredentials(db, user),
    of: 'users',
  },
  'users/queries.ts: lockActiveAdmins': {
    take: (db) => users.lockActiveAdmins(db, { verified: true }),
    of: 'users',
  },
  'webhooks/queries.ts: selectSecrets': {
    take: (db, { org, webhook }) => webhooks.selectSecrets(org(db), webhook),
    of: 'webhook_endpoints',
  },
  'webhooks/queries-of-deliveries.ts: selectSubscriptions': {
    take: (db, { id }) => deliveries.selectSubscriptions(system(db), [id]),
    of: 'webhook_endpoints',
  },
}

/** Statements that leave to others what these have locked, and do not wait for it. */
const LEFT: Readonly<Record<string, Case & { readonly none: unknown }>> = {
  'api-keys/queries.ts: updateLastUses': {
    take: async (db, { id, key }) => {
      await keys.updateLastUses(system(db), [{ org: id, id: key, ip: '192.0.2.1' }])
      const text = 'SELECT FROM api_keys WHERE last_used_at IS NOT NULL'
      return system(db).query({ name: 'selectUsedKeys', text })
    },
    of: 'api_keys',
    none: [],
  },
  'audit/queries-of-intake.ts: fileEntries': {
    take: (db, { keyIds }) => intake.fileEntries(system(db), 1, keyIds),
    of: 'audit_intake',
    none: [],
  },
  'events/queries.ts: claimEvents': {
    take: (db) => events.claimEvents(system(db), 'broker_at', 1),
    of: 'events',
    none: [],
  },
  'realtime/presence/queries.ts: deleteGone': {
    take: (db) => presence.deleteGone(system(db), 3_600_000),
    of: "realtime_nodes WHERE seen_at < now() - interval '1 hour'",
    none: [],
  },
  'security-events/queries.ts: deleteSecurityEvents': {
    take: (db) => securityEvents.deleteSecurityEvents(db, 1),
    of: 'security_events',
    none: [],
  },
  'storage/queries.ts: doomExpired': {
    take: (db) => storage.doomExpired(db, 1),
    of: "stored_objects WHERE state = 'writing' AND expires_at < now()",
    none: 0,
  },
}

/** Statements that wait for a change of the rows that they choose, and look again afterwards. */
const SEEN: Readonly<Record<string, Case & { readonly change: string; readonly outcome: unknown }>> = {
  'events/queries.ts: unmarkTaken': {
    take: (db) => events.unmarkTaken(system(db), 'fanned_out_at', { from: NIL, limit: 1 }),
    of: 'events',
    change: 'UPDATE events SET fanned_out_at = NULL WHERE fanned_out_at IS NOT NULL',
    outcome: [],
  },
  'realtime/presence/queries.ts: deleteGone': {
    take: (db) => presence.deleteGone(system(db), 86_400_000),
    of: 'realtime_presence',
    change: 'UPDATE realtime_presence SET leaves_at = NULL',
    outcome: [],
  },
  'storage/queries.ts: growObject': {
    take: (db, { growing }) => storage.growObject(db, growing, 1, { quota: 1_000_000 }),
    of: 'stored_objects',
    change: "UPDATE stored_objects SET state = 'doomed' WHERE state = 'writing' AND expires_at > now()",
    outcome: false,
  },
  'webhooks/queries-of-waiting.ts: resumeDeliveries': {
    take: async (db, { org, webhook }) => {
      const since = new Date(0).toISOString()
      const resumed = await waitingDeliveries.resumeDeliveries(org(db), webhook, { since, limit: 9 })
      return resumed.length
    },
    of: 'webhook_deliveries',
    change: "UPDATE webhook_deliveries SET state = 'delivered' WHERE state = 'failed'",
    outcome: 0,
  },
  'webhooks/queries-of-waiting.ts: skipPending': {
    take: async (db, { org, webhook }) => {
      const skipped = await waitingDeliveries.skipPending(org(db), webhook, { after: null, limit: 9 })
      return skipped.skipped
    },
    of: 'webhook_deliveries',
    change:
      "UPDATE webhook_deliveries SET state = 'delivered', next_attempt_at = NULL WHERE state = 'pending'",
    outcome: 0,
  },
}

/** The functions whose statements lock rows. */
function locking(): string[] {
  const found = globSync('**/queries*.ts', { cwd: join(ROOT, 'services') }).flatMap((path) => {
    const text = readFileSync(join(ROOT, 'services', path), 'utf8')
    const parts = text.split(/^(?:export )?(?:async )?(?:function|const) (?=\w)/m)
    return parts.filter((part) => LOCK.test(part)).map((part) => `${path}: ${/^\w+/.exec(part)?.[0]}`)
  })
  return found.sort()
}

async function createRows({ app, db, signUp }: TestApp) {
  await signUp({ role: 'admin' })
  const [tenant, deleted] = [await createOrganization(app), await createOrganization(app)]
  const { id } = tenant.organization
  const { user, refresh_token: token } = tenant.owner
  await db.query("UPDATE organizations SET deleted_at = now() - interval '1 year' WHERE id = $1", [
    deleted.organization.id,
  ])
  await db.query('UPDATE events SET fanned_out_at = now()')
  const { id: key } = await tenant.createApiKey()
  const { id: webhook } = await tenant.createWebhook()
  await db.query("UPDATE webhook_endpoints SET disabled_reason = 'requested'")
  const delivery = { org_id: id, endpoint_id: webhook, event_type: 'projects.created', body: '{}' }
  const waits = { ...delivery, id: uuidv7(), event_id: uuidv7(), state: 'pending' } as const
  const failed = { ...waits, id: uuidv7(), event_id: uuidv7() }
  await deliveries.insertDeliveries(new OrgDatabase(app.db, id), [waits, failed])
  await db.query("UPDATE webhook_deliveries SET state = 'failed', next_attempt_at = NULL WHERE id = $1", [
    failed.id,
  ])

  const [mail, action, digest] = [uuidv7(), uuidv7(), digestToken('token')]
  const written_at = new Date().toISOString()
  const letter = { id: mail, template: 'password-changed', to: user.email, message: '{}', written_at }
  await mails.insertMail(app.db, { ...letter, resent_from: null })
  const todo = { id: action, action: 'retry', selection: '{}', reason: 'why', total: 1 } as const
  await operations.insertJobAction(app.db, { ...todo, requested_by: user.id })
  const names = { email: 'new@example.com', username: 'new', password_hash: '' }
  const expires_at = new Date(Date.now() + 3_600_000)
  await registration.insertRegistration(app.db, { id: uuidv7(), digest, ...names, expires_at })
  await db.query('INSERT INTO security_events (id, kind) VALUES ($1, $2)', [uuidv7(), 'password_changed'])

  const [kept, growing, expired] = ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)] as const
  for (const [object, leaseMs] of [
    [kept, HOUR_MS],
    [growing, HOUR_MS],
    [expired, -HOUR_MS],
  ] as const)
    await storage.insertObject(app.db, { key: object, store: 'local', space: id, bytes: 1, leaseMs }, null)
  await storage.keepObject(app.db, kept, 1)

  const [node, gone] = [uuidv7(), uuidv7()]
  for (const each of [node, gone]) {
    await presence.insertNode(system(app.db), each)
    const channel = `user:${user.id}`
    await presence.insertPresences(system(app.db), each, [
      { org: null, channel, client: each, caller: user.id },
    ])
  }
  await db.query("UPDATE realtime_nodes SET seen_at = now() - interval '2 hours' WHERE id = $1", [gone])
  await db.query('UPDATE realtime_presence SET leaves_at = now() WHERE node_id = $1', [node])

  const { keyIds } = app.ctx.audit.macs
  const org = (on: Database) => new OrgDatabase(on, id)
  return { ...{ org, id, user: user.id, token, key, webhook, mail, action, digest }, kept, growing, keyIds }
}

t.test('what statements lock stays as they have read it', async (t) => {
  const testApp = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { app, db } = testApp
  const rows = await createRows(testApp)
  const named = [KEPT, SEEN, LEFT].flatMap((cases) => Object.keys(cases))
  t.strictSame([...new Set(named)].sort(), locking(), 'all of them are here')

  for (const [name, { take, of }] of Object.entries(KEPT)) {
    const all = await db.query(`SELECT FROM ${of}`)
    const free = await app.db.transaction(async (tx) => {
      await take(tx, rows)
      return db.query(`SELECT FROM ${of} FOR UPDATE SKIP LOCKED`)
    })
    t.ok(free.length < all.length, `${name}: others cannot change it`)
  }

  for (const [name, { take, change, outcome }] of Object.entries(SEEN)) {
    let taken: Promise<unknown> | undefined
    await system(app.db).transaction(async (tx) => {
      await tx.query({ name: 'changeMeanwhile', text: change, prepare: false })
      taken = take(app.db, rows)
      await waiting(db, 1, { rows: true })
    })
    t.strictSame(await taken, outcome, `${name}: waits for a change, and sees it`)
  }

  for (const [name, { take, of, none }] of Object.entries(LEFT)) {
    const ask = () =>
      app.db.transaction(async (tx) => {
        await tx.query({ name: 'file', text: "SELECT set_config('app.audit_filing', 'on', true)" })
        return take(tx, rows)
      })
    await system(app.db).transaction(async (tx) => {
      await tx.query({ name: 'lockMeanwhile', text: `SELECT FROM ${of} FOR UPDATE`, prepare: false })
      t.strictSame(await ask(), none, `${name}: leaves what others have, and does not wait`)
    })
    t.notSame(await ask(), none, `${name}: takes what nobody has`)
  }
})
