import t from 'tap'
import { type AttemptContext, forgive, guard } from '../../../services/attempts/attempts.ts'
import { TooManyAttempts } from '../../../services/attempts/errors.ts'
import { createTestApp } from '../../helper.ts'

t.test('attempts', async (t) => {
  const { app, db } = await createTestApp(t)
  const ctx: AttemptContext = {
    ...app.ctx,
    attemptLimits: { perAccount: 3, perAddress: 100, window: 60_000 },
  }
  const wrong = async () => undefined

  const counted = async () => {
    const rows = await db.query(
      'SELECT split_part(subject, $1, 1) AS kind, failures FROM login_attempts ORDER BY 1',
      [':'],
    )
    return Object.fromEntries(rows.map(({ kind, failures }) => [kind, failures]))
  }

  t.beforeEach(async () => {
    await db.query('DELETE FROM login_attempts')
  })

  t.test('what is refused counts for nothing', async (t) => {
    for (let turn = 0; turn < 3; turn++) t.equal(await guard(ctx, 'a@example.com', wrong), undefined)
    for (let turn = 0; turn < 5; turn++) await t.rejects(guard(ctx, 'a@example.com', wrong), TooManyAttempts)
    t.same(await counted(), { account: 3, network: 3 })
  })

  t.test('a guess that is forgiven while others are refused leaves the next ones counted', async (t) => {
    for (let turn = 0; turn < 3; turn++) await guard(ctx, 'a@example.com', wrong)
    const refused = Array.from({ length: 20 }, () =>
      guard(ctx, 'a@example.com', wrong).catch(() => undefined),
    )
    await Promise.all([...refused, forgive(ctx, 'a@example.com')])
    await db.query("DELETE FROM login_attempts WHERE subject LIKE 'account:%'")
    for (let turn = 0; turn < 3; turn++) await guard(ctx, 'a@example.com', wrong)
    await t.rejects(guard(ctx, 'a@example.com', wrong), TooManyAttempts)
  })

  t.test('the network is refused first, and the account not counted for it', async (t) => {
    const strict = { ...ctx, attemptLimits: { ...ctx.attemptLimits, perAddress: 2 } }
    for (let turn = 0; turn < 2; turn++) await guard(strict, `${turn}@example.com`, wrong)
    const error = await guard(strict, 'b@example.com', wrong).catch((thrown: unknown) => thrown)
    t.match(error, { definition: { status: 429 }, retryAfter: Number })
    t.same(await counted(), { account: 1, network: 2 })
    t.equal((await db.query("SELECT FROM login_attempts WHERE subject LIKE 'account:%'")).length, 2)
  })

  t.test('a right password clears the account and takes its own attempt back from the network', async (t) => {
    await guard(ctx, 'a@example.com', wrong)
    t.equal(await guard(ctx, 'a@example.com', async () => 'yes'), 'yes')
    t.same(await counted(), { network: 1 })
  })

  t.test('an error is no guess', async (t) => {
    const failing = guard(ctx, 'a@example.com', () => Promise.reject(new Error('no capacity')))
    await t.rejects(failing, { message: 'no capacity' })
    t.same(await counted(), { account: 0, network: 0 })
  })
})
