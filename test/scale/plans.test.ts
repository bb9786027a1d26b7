import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { buildApp } from '#app.ts'
import { OrgDatabase, SystemDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import { hastenJobs } from '#lib/jobs/administration/queries-of-actions.ts'
import { listJobs, overview } from '#lib/jobs/overview.ts'
import { selectDueQueues } from '#lib/jobs/queries.ts'
import { askForAnswer, deleteExpiredCounts } from '#lib/rate-limits/queries.ts'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import { acceptedKeyIds } from '#services/api-keys/listeners.ts'
import * as audit from '#services/audit/audit.ts'
import { cutBefore } from '#services/audit/cuts.ts'
import { auditCheckpointJob } from '#services/audit/jobs.ts'
import { allNotes } from '#services/audit/notes.ts'
import { deletePending, refuseEntries } from '#services/audit/queries.ts'
import * as reading from '#services/audit/reading/queries.ts'
import { erasePersonalData } from '#services/audit/records.ts'
import { sealBatch } from '#services/audit/sealer.ts'
import { auditStatus } from '#services/audit/status.ts'
import { beginReading, copySealsAt } from '#services/audit/verification/queries.ts'
import { verify } from '#services/audit/verification/verify.ts'
import * as attempts from '#services/authentication/queries.ts'
import { insertConsumed } from '#services/broker/queries.ts'
import { findSinks } from '#services/events/find-sinks.ts'
import { purgeEventsJob } from '#services/events/jobs.ts'
import { oldestAge } from '#services/events/oldest-age.ts'
import { someWait } from '#services/events/queries.ts'
import { Relay } from '#services/events/relay.ts'
import { republish } from '#services/events/republish.ts'
import * as fileQueries from '#services/files/queries.ts'
import { updateMailAttempt } from '#services/mail/queries.ts'
import { memberIds } from '#services/members/listeners.ts'
import { selectAdministrators } from '#services/members/queries.ts'
import * as oneTimeTokens from '#services/one-time-tokens/one-time-tokens.ts'
import { tellHealth } from '#services/operations/health-feed.ts'
import { cleanupJob } from '#services/operations/jobs.ts'
import { beginAt } from '#services/realtime/history.ts'
import { purgeRealtimeJob } from '#services/realtime/jobs.ts'
import { Attendance } from '#services/realtime/presence/attendance.ts'
import { openState, selectMessages } from '#services/realtime/queries.ts'
import { openStore } from '#services/realtime/store.ts'
import * as registrations from '#services/registration/queries.ts'
import { moveSecurityEventsJob } from '#services/security-events/jobs.ts'
import { endImpersonationsBy } from '#services/sessions/queries-of-impersonations.ts'
import * as appends from '#services/storage/append-queries.ts'
import { renewObject } from '#services/storage/queries.ts'
import { Writing } from '#services/storage/storage.ts'
import * as uploadQueries from '#services/uploads/queries.ts'
import * as operators from '#services/users/operators.ts'
import * as userRecords from '#services/users/records.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { createFile, sweep } from '#test/support/files.ts'
import { signUp, testConfig } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { appendTo, createUpload, headOf } from '#test/support/uploads.ts'
import { askForEverything, namesOf, RUN, workOfOrganizations } from './requests.ts'
import { fill, LARGE_TABLES } from './rows.ts'
import { workOnScans } from './scans.ts'
import { explainAll, hearPlans, isSlow, statementNames } from './statements.ts'
import { workOnVariants } from './variants.ts'

// A million rows take their time, on a machine that may be busy.
t.setTimeout(1_800_000)

/** Times that each is asked: PostgreSQL makes a plan for any values only when it has seen some. */
const TURNS = 8

/** Statements that read a whole table because an operator asked for it, once. */
const WHOLE_TABLE = ['updateVerifiedBefore', 'selectStrayAuditEntries', 'selectPendingAudit']

const SETTINGS = {
  APP_ROLE: 'web',
  APP_LOG__LEVEL: 'error',
  APP_RATE_LIMIT__ENABLED: 'true',
  APP_RATE_LIMIT__STORE: 'postgres',
  APP_RATE_LIMIT__PER_ADDRESS: '1000000',
  APP_AUTH__LOGIN_LIMIT__PER_ADDRESS: '1000000',
}

t.test('no statement reads a table of a million rows from end to end', async (t) => {
  const db = await createTestDatabase(t)
  await fill(db)
  for (const sql of explainAll(db.name)) await db.querySuper(sql)
  const heard = hearPlans()
  const run = new Set<string>()

  for (const registration of ['open', 'verify']) {
    const app = await buildApp(testConfig(db.url, { ...SETTINGS, APP_AUTH__REGISTRATION: registration }))
    await askForEverything(app, TURNS)
    for (let turn = 0; turn < TURNS; turn++) {
      await listUsers(app)
      await workBehindTheScenes(app)
      await workOnEvents(app)
      await workOfOrganizations(app)
    }
    // As many entries as there were events wait from then on, longer than the work on the audit log would.
    if (registration === 'verify') await moveSecurityEventsJob.handler(app.ctx, {}, RUN)
    // The last statement takes the instance out of the list.
    await app.close()
    for (const name of await namesOf(app)) run.add(name)
  }

  const slow = new Map(
    heard
      // A verification reads all that it verifies.
      .filter((plan) => isSlow(plan, LARGE_TABLES) && !plan.includes('Query Text: COPY'))
      .map((plan) => [plan.slice(0, plan.indexOf('Plan:')), plan]),
  )
  for (const plan of slow.values()) t.fail('it reads too much', { plan: plan.split('\n') })
  const expected = (await statementNames()).filter((name) => !WHOLE_TABLE.some((whole) => name.test(whole)))
  const missing = expected.filter((name) => !run.values().some((known) => name.test(known)))
  t.strictSame(missing, [], 'every statement was run')
})

async function listUsers(app: FastifyInstance): Promise<void> {
  const { headers } = await signUp(app, { role: 'admin' })
  const ask = (query: string) => app.inject({ url: `/api/v1/users?${query}`, headers })
  const cursor = (await ask('limit=1')).json().next_cursor
  for (const filter of ['q=user77777', 'q=nobody', 'role=admin', 'is_active=false', 'role=admin&q=user9']) {
    await ask(filter)
    await ask(`${filter}&cursor=${cursor}`)
  }
}

/** Statements that not every request of a user causes. */
async function workBehindTheScenes(app: FastifyInstance): Promise<void> {
  const { ctx } = app
  const { user, password } = await signUp(app)
  const hash = await ctx.passwords.hash(password)
  await userRecords.replacePasswordHash(ctx, user.id, hash, hash)
  await operators.promote(ctx, user.email)
  await userRecords.replaceEmail(ctx, user.id, `${uuidv7()}@example.com`)
  await cleanupJob.handler(ctx, {}, RUN)
  await tellHealth(ctx)
  await workOnAuditLog(app)
  await workOnFiles(app)
  await workOnUploads(app)
  await workOnScans(app)
  await workOnVariants(app)
  await deleteExpiredCounts(app.db)
  await askForAnswer(app.db)
  await overview(app.db, ['send_mail'])
  await selectDueQueues(app.db, ['send_mail', 'cleanup'])
  await hastenJobs(app.db, 'send_mail', [uuidv7()])
  await updateMailAttempt(app.db, uuidv7(), { state: 'sent', error: null })
  await endImpersonationsBy(app.db, user.id)
  await listJobs(app.db, { limit: 10 })

  const network = { network: '192.0.2.9' }
  await attempts.countMail(app.db, { mail: user.email, topic: 'recovery' }, { windowMs: 60_000, limit: 5 })
  await attempts.selectRemaining(app.db, network)
  await attempts.uncountAttempt(app.db, network)
  const [id, email, digest] = [uuidv7(), `${uuidv7()}@example.com`, randomBytes(32)]
  const expires_at = new Date(Date.now() + 60_000)
  const token = { id, digest, expires_at }
  await registrations.insertRegistration(app.db, { ...token, email, username: id, password_hash: hash })
  await registrations.selectRegistration(app.db, id)
  await oneTimeTokens.findPending(ctx, id, 'change_email')
  await registrations.renewRegistration(app.db, email, token)
  await registrations.lockRegistrations(app.db, digest)
  await registrations.deleteRegistration(app.db, digest)
  await registrations.deleteRegistrationsOf(app.db, email)
}

/** Files of unknown length, that are refused, in pages, and for good. */
async function workOnFiles(app: FastifyInstance): Promise<void> {
  const as = await signUp(app)
  const { headers } = as
  const chunked = { ...headers, 'transfer-encoding': 'chunked' }
  const file = await createFile(app, as)
  const payload = Readable.from([Buffer.alloc(100_000), Buffer.alloc(100_000)])
  await app.inject({ method: 'PUT', url: `${file}/content`, headers: chunked, payload })
  await app.inject({ method: 'PUT', url: '/api/v1/users/me/avatar', headers, payload: 'GIF89a' })
  await app.inject({ method: 'POST', url: '/api/v1/files/content?name=a', headers, payload: 'at once' })
  const writing = await Writing.begin(app.ctx, { space: as.user.id, quota: 1_000_000, length: 1 })
  await renewObject(app.db, writing.key, 1000)
  await writing.discard(app.ctx)
  await createFile(app, as)
  const page = await app.inject({ url: '/api/v1/files?limit=1', headers })
  await app.inject({ url: `/api/v1/files?limit=1&cursor=${page.json().next_cursor}`, headers })
  await app.inject({ method: 'DELETE', url: `${file}?permanently=true`, headers })
  await sweep(app)
}

/** Uploads that are finished, whose length comes late, and that are given up. */
async function workOnUploads(app: FastifyInstance): Promise<void> {
  const as = await signUp(app)
  const upload = await createUpload(app, as, undefined)
  await appendTo(app, as, upload, { offset: 0, bytes: 'abc', headers: { 'upload-length': '4' } })
  const [row] = await app.db.query<{ key: string }>({
    name: 'newestAppend',
    text: 'SELECT key FROM object_appends ORDER BY updated_at DESC LIMIT 1',
  })
  const key = row?.key ?? ''
  const progress = { offset: 3, state: null }
  await appends.takeObject(app.db, key, { epoch: '1', leaseMs: 0 })
  await appends.renewAppend(app.db, key, { epoch: '1', leaseMs: 0, progress })
  await headOf(app, as, upload)
  await appendTo(app, as, upload, { offset: 3, bytes: 'd' })
  await app.inject({ method: 'DELETE', url: upload, headers: as.headers })
  // The store takes nothing from clients.
  const space = new UserDatabase(app.db, as.user.id)
  await uploadQueries.updateStoreUpload(space, uuidv7(), 'an upload')
  await uploadQueries.markCompleted(space, uuidv7(), 1000)
  const content = { key: 'a key', media_type: 'text/plain', size: 1, sha256: randomBytes(32), scan: null }
  await fileQueries.updateLateContent(space, uuidv7(), content, new Date().toISOString())
}

/** Passes events on, has them wait for the broker again, and handles one. */
async function workOnEvents(app: FastifyInstance): Promise<void> {
  const { ctx, log } = app
  const store = openStore(app.db)
  await openState(store)
  const channel = { name: `user:${uuidv7()}`, org: null }
  await beginAt(store, channel, { recover: true, offset: 1 }, { size: 10, bytes: 10_000 })
  for (const sink of await findSinks<AppContext>()) {
    await someWait(new SystemDatabase(app.db), sink.column)
    await new Relay(sink, { ctx, log }).pass()
    await oldestAge(ctx, sink.column)
  }
  await selectMessages(store, 0, 10)
  const attendance = new Attendance(app.db, log)
  const presence = { org: null, channel: channel.name, client: uuidv7(), caller: 'nobody' }
  attendance.join(presence)
  await attendance.list(channel.name)
  await attendance.count(channel.name)
  attendance.leave(channel.name, presence.client, false)
  await attendance.close()
  const [org, id] = [uuidv7(), uuidv7()]
  await memberIds(ctx, org)
  await acceptedKeyIds(ctx, org)
  await app.identities.loadTogether(id)
  await ctx.memberships.loadTogether(org, id)
  await ctx.apiKeys.loadAgain({ org, id })
  await purgeRealtimeJob.handler(ctx, {}, RUN)
  await republish(app.db, new Date(Date.now() - 1000))
  await insertConsumed(app.db, 'nobody', uuidv7())
  await purgeEventsJob.handler(ctx, {}, RUN)
}

/** Seals, signs, verifies one chain, and cuts it. */
async function workOnAuditLog(app: FastifyInstance): Promise<void> {
  const { ctx } = app
  const tenant = await createOrganization(app)
  const org = tenant.organization.id
  await tenant.auditEntry()
  await sealBatch(ctx)
  await auditCheckpointJob.handler(ctx, {}, RUN)
  await tenant.auditEntry()
  await sealBatch(ctx)
  await verify(ctx, { org })
  await new SystemDatabase(app.db).transaction(async (db) => {
    await beginReading(db)
    await copySealsAt(db, [{ org, seq: 1 }], () => undefined)
  })
  const admin = (await signUp(app, { role: 'admin' })).user
  await audit.listPlatform(ctx, admin, { limit: 10, organization_id: org })
  await audit.listPlatform(ctx, admin, { limit: 10, admin_id: admin.id })
  await auditStatus(ctx)
  await proveEntry(app, new OrgDatabase(app.db, org))
  await erasePersonalData(ctx, tenant.owner.user.id)
  // What waits in its own table was written by a version before.
  for (const work of [refuseEntries, deletePending])
    await work(new SystemDatabase(app.db), [{ org, id: org }])
  await allNotes(ctx)
  await cutBefore(ctx, new Date(Date.now() + 60_000), org)
}

/** Reads as a proof does, and as the mails about a webhook. */
async function proveEntry(app: FastifyInstance, db: OrgDatabase): Promise<void> {
  await reading.selectCoveringHead(db, 1)
  await reading.selectSeals(db, 0, 1)
  await reading.selectCutHash(db, 1)
  await reading.selectLeaves(new SystemDatabase(app.db), 1)
  await selectAdministrators(db)
}
