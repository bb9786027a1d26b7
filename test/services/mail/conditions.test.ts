import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import * as queries from '#services/mail/queries.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

const STATES = ['failed', 'replaced', 'retrying', 'sent', 'waiting'] as const

t.test('which mails a statement sees and changes', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const create = async (state: (typeof STATES)[number], to: string, template = 'password-reset') => {
    const id = uuidv7()
    const written_at = new Date().toISOString()
    await queries.insertMail(app.db, { id, template, to, message: '{}', written_at, resent_from: null })
    await db.query('UPDATE mails SET state = $2, sent_at = CASE WHEN $3 THEN now() END WHERE id = $1', [
      id,
      state,
      state === 'sent',
    ])
    return id
  }
  const ids = new Map<(typeof STATES)[number], string>()
  for (const state of STATES) ids.set(state, await create(state, 'one@example.com'))
  const other = await create('sent', 'two@example.com', 'email-changed')
  const rows = () => db.query('SELECT * FROM mails ORDER BY id')
  const states = async () =>
    (await db.query<{ state: string }>('SELECT state FROM mails ORDER BY id')).map(({ state }) => state)

  await t.test('the list, by each filter and by all of them', async (t) => {
    const list = async (filter: Omit<queries.MailFilter, 'limit'>, limit = 9) =>
      (await queries.selectMails(app.db, { ...filter, limit })).map(({ id }) => id)
    const all = [...ids.values()]
    const one = [...all].reverse()
    t.strictSame(await list({}), [other, ...one])
    t.strictSame(await list({}, 2), [other, one[0]])
    t.strictSame(await list({ to: 'ONE@example.com' }), one)
    for (const [state, id] of ids) {
      t.strictSame(await list({ state, to: 'one@example.com' }), [id], state)
    }
    t.strictSame(await list({ state: 'sent' }), [other, ids.get('sent')])
    t.strictSame(await list({ template: 'email-changed' }), [other])
    t.strictSame(await list({ before: ids.get('retrying') ?? '' }), [ids.get('replaced'), ids.get('failed')])
    t.strictSame(await list({ to: 'one@example.com', template: 'email-changed' }), [])
  })

  await t.test('an attempt is noted at the one mail, with the time of a success alone', async (t) => {
    const id = ids.get('waiting') ?? ''
    const others = async () => await db.query('SELECT * FROM mails WHERE id <> $1 ORDER BY id', [id])
    const before = await others()
    await queries.updateMailAttempt(app.db, id, { state: 'retrying', error: 'refused' })
    t.match(await queries.selectMail(app.db, id), {
      state: 'retrying',
      error: 'refused',
      attempts: 1,
      sent_at: null,
    })
    await queries.updateMailAttempt(app.db, id, { state: 'sent', error: null })
    const sent = await queries.selectMail(app.db, id)
    t.match(sent, { state: 'sent', error: null, attempts: 2, sent_at: String })
    t.equal(sent?.sent_at, sent?.last_attempt_at)
    t.strictSame(await others(), before)
    await db.query("UPDATE mails SET state = 'waiting', sent_at = NULL WHERE id = $1", [id])
  })

  await t.test('what was sent stays as it is, and what is to be sent is deleted by nobody', async (t) => {
    const before = await rows()
    await queries.updateMailReplaced(app.db, ids.get('sent') ?? '')
    t.strictSame(await rows(), before)
    await queries.deleteMailsTo(app.db, 'ONE@example.com')
    t.strictSame(await states(), ['retrying', 'waiting', 'sent'])
    await queries.updateMailReplaced(app.db, ids.get('retrying') ?? '')
    t.strictSame(await states(), ['replaced', 'waiting', 'sent'])
    const failed = await create('failed', 'two@example.com')
    await queries.updateMailReplaced(app.db, failed)
    t.strictSame(await states(), ['replaced', 'waiting', 'sent', 'replaced'])
  })
})
