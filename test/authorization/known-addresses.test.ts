// Among the first, because it takes long.

import { createHash } from 'node:crypto'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { deriveToken } from '#lib/secrets/secrets.ts'
import { emailChangeMailJob } from '#services/account/jobs.ts'
import { tellInvitedJob } from '#services/invitations/jobs.ts'
import { resetMailJob } from '#services/recovery/jobs.ts'
import { registrationMailJob, verificationMailJob } from '#services/registration/jobs.ts'
import { fuzzedOperations } from '#test/fuzz/operations.ts'
import { readDocument } from '#test/fuzz/world.ts'
import { deleteAllRows } from '#test/support/borrow.ts'
import { createTestApp, type TestApp, type TestUser } from '#test/support/helper.ts'
import { statementsOf } from '#test/support/instances.ts'
import { FLOWS, type Flow, type FlowWorld, type Mode } from './address-flows.ts'
import { type Changes, changesBetween, takeSnapshot } from './database-changes.ts'

/*
 * Whether an address has an account is nobody's business. Each flow is run with an address that nobody has and with
 * addresses of every kind of account. Answers, statements, and every row of the database must be the same
 * afterwards: right after the request, and when the jobs are done, but for what belongs to the address's owner.
 */

/** Kinds of account that an address can have, by the statement that makes it of a confirmed user. */
const KINDS: Readonly<Record<string, string>> = {
  confirmed: 'SELECT $1',
  unconfirmed: 'UPDATE users SET email_verified_at = NULL WHERE id = $1',
  inactive: 'UPDATE users SET is_active = false WHERE id = $1',
  invited: 'UPDATE users SET password_hash = NULL, email_verified_at = NULL WHERE id = $1',
}

/** Observations that somebody who runs a flow could learn from. */
interface Outcome {
  answers: object[]
  statements: Record<string, number>
  /** The database right after the requests. */
  requested: Record<string, Changes>
  /** The database when the jobs are done, without what is the owner's. */
  settled: Record<string, Changes>
}

t.test('every operation that takes an address has a flow', async (t) => {
  const { app } = await createTestApp(t, { APP_ROLE: 'web' })
  const document = readDocument(app.swagger())
  const covered = new Set(Object.values(FLOWS).map(({ operation }) => operation))
  const taking = fuzzedOperations(document).filter(({ body }) => {
    const name = String(body?.['$ref']).split('/').at(-1) ?? ''
    return 'email' in (document.components?.schemas?.[name]?.['properties'] ?? {})
  })
  t.ok(taking.length >= 7, taking.map(({ id }) => id).join(' '))
  for (const { id } of taking) t.ok(covered.has(id), id)
})

const BY_EMAIL = [resetMailJob, verificationMailJob]
const BY_TOKEN = [registrationMailJob, emailChangeMailJob]
const OF_INVITATIONS = [tellInvitedJob]

for (const mode of ['open', 'verify', 'closed'] as const) {
  t.test(`registration ${mode}: flows do not tell whether an address is known`, async (t) => {
    // It does no jobs, so that its statements are those of its requests.
    const world = await createTestApp(t, {
      APP_ROLE: 'web',
      APP_AUTH__REGISTRATION: mode,
      APP_AUTH__MAIL_LIMIT__PER_ACCOUNT: '3',
      APP_AUTH__LOGIN_LIMIT__PER_ACCOUNT: '3',
    })
    // The first of each flow looks queues up.
    for (const job of BY_EMAIL) {
      await world.app.ctx.jobs.enqueue(world.app.ctx.db, job, { email: 'nobody@example.com' })
    }
    for (const job of BY_TOKEN) {
      await world.app.ctx.jobs.enqueue(world.app.ctx.db, job, { id: uuidv7(), expires_at: '' })
    }
    for (const job of OF_INVITATIONS) {
      const revoked = { org: uuidv7(), id: uuidv7(), email: 'nobody@example.com', fate: 'revoked' } as const
      await world.app.ctx.jobs.enqueue(world.app.ctx.db, job, revoked)
    }
    for (const [name, flow] of Object.entries(FLOWS)) {
      if ((flow.modes ?? ['verify']).includes(mode)) t.test(name, (t) => compare(t, world, flow, mode))
    }
  })
}

async function compare(t: Test, world: TestApp, flow: Flow, mode: Mode): Promise<void> {
  const unknown = await observe(world, flow)
  t.strictSame(await observe(world, flow), unknown, 'what differs by nature is left out')
  for (const kind of Object.keys(KINDS)) {
    const isShutOut =
      kind === 'inactive' || kind === 'invited' || (kind === 'unconfirmed' && mode === 'verify')
    if (!flow.shutOut || isShutOut) t.strictSame(await observe(world, flow, kind), unknown, kind)
  }
}

/** Runs a flow with an address of its own. */
async function observe({ app, db, request, signUp }: TestApp, flow: Flow, kind = ''): Promise<Outcome> {
  // Otherwise each look at all rows would cost more than the one before.
  await deleteAllRows(db)
  const asker = await signUp(names())
  const { email, username } = names()
  const owner = KINDS[kind] === undefined ? undefined : await signUp({ ...names(), email })
  if (owner) await db.query(String(KINDS[kind]), [owner.user.id])
  const password = asker.password
  const world: FlowWorld = {
    asker,
    username,
    password,
    send: request,
    linkTo: async (to) => {
      await doJobs(app, db)
      return mailedToken(app, db, to)
    },
  }

  const before = await takeSnapshot(db)
  const responses: LightMyRequestResponse[] = []
  const statements = await statementsOf(app, async () => {
    responses.push(...(await flow.run(world, email)))
  })
  const words = { '<own>': `${username}@own.example`, '<address>': email, '<name>': username }
  const normalise = normaliser(words, asker)
  const requested = changesBetween(before, await takeSnapshot(db), ({ content }) => normalise(content))
  await doJobs(app, db)
  const settled = changesBetween(before, await takeSnapshot(db), ({ table, content }) => {
    const isMail =
      (table === 'pgboss.job' && content.includes(`"to": "${email}"`)) ||
      (table === 'public.mails' && content.includes(`"to_address": "${email}"`))
    // What one person alone is told, the asker can't see.
    const isTold = table === 'public.events' && owner && content.includes(`"told_to": "${owner.user.id}"`)
    const isLink = table === 'public.one_time_tokens' && owner && content.includes(owner.user.id)
    return isMail || isLink || isTold ? undefined : normalise(content)
  })
  // Who asks is in memory, unless the instance has heard nothing for a second, as on a busy machine.
  const { selectSessionOwner: _, selectMembership: __, ...others } = statements
  return { answers: responses.map(visible), statements: others, requested, settled }
}

/** All of one length, or the lengths of responses would differ. */
function names() {
  const username = `n${uuidv7().slice(-12)}`
  return { username, email: `${username}@example.com` }
}

/** Does the jobs in the order that they came in, but sends no mail: the letters are looked at in the queue. */
async function doJobs(app: FastifyInstance, db: TestApp['db']): Promise<void> {
  const queued = await db.query<{ id: string; name: string; data: never }>(
    `SELECT id, name, data FROM pgboss.job WHERE state = 'created' AND name <> 'send_mail' AND name NOT LIKE '\\_\\_%'
     ORDER BY created_on, id`,
  )
  for (const { id, name, data } of queued) {
    const job = [...BY_EMAIL, ...BY_TOKEN, ...OF_INVITATIONS].find((one) => one.name === name)
    if (!job) throw new Error(`${name} is not a job of accounts`)
    await job.handler(app.ctx, data, {
      id,
      attempt: 1,
      signal: new AbortController().signal,
      complete: async (tx) => {
        await tx.query({ name: 'completeJob', text: 'DELETE FROM pgboss.job WHERE id = $1', values: [id] })
      },
    })
  }
}

/** The token of the link in the letter to an address. */
async function mailedToken(app: FastifyInstance, db: TestApp['db'], to: string): Promise<string> {
  const [letter] = await db.query<{ token: string }>(
    `SELECT data #>> '{message,token,id}' AS token FROM pgboss.job
     WHERE name = 'send_mail' AND data #>> '{message,to}' = $1`,
    [to],
  )
  if (!letter) throw new Error('no mail was written')
  return deriveToken(app.mail.tokenKey, letter.token)
}

/** Replaces values that differ by nature with the same words everywhere. */
function normaliser(words: Record<string, string>, { user }: TestUser): (content: string) => string {
  const all = { ...words, '<asker>': user.email, '<asker name>': user.username }
  const digest = (text: string) => createHash('sha256').update(text).digest('hex')
  return (text) => {
    let content = text
    for (const [word, value] of Object.entries(all)) {
      content = content.replaceAll(digest(value), `digest of ${word}`).replaceAll(value, word)
    }
    return content
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/g, '<time>')
      .replace(/\\\\x[0-9a-f]+/g, '<bytes>')
      .replace(/\$argon2id\$[^"]+/g, '<hash>')
  }
}

/** All that a client sees of an answer, but for what differs by nature. */
function visible({ statusCode, headers, body }: LightMyRequestResponse): object {
  const { date: _, 'x-request-id': __, etag, location, 'retry-after': wait, ...rest } = headers
  const place = location?.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>')
  const same = body
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>')
    .replace(/\bn[0-9a-f]{12}\b/g, '<name>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
  return {
    statusCode,
    headers: { ...rest, location: place, etag: etag !== undefined, wait: wait !== undefined },
    body: same,
  }
}
