import t from 'tap'
import { ServiceError } from '#lib/errors.ts'
import { type Attempt, type AttemptContext, begin, forgive } from '#services/authentication/attempts.ts'
import { TooManyAttempts } from '#services/authentication/errors.ts'
import { mayMail } from '#services/authentication/mail-limit.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { eventually } from '#test/support/eventually.ts'

t.test('attempts', async (t) => {
  const { app, db } = await borrowTestApp(t)
  const ctx: AttemptContext = {
    ...app.ctx,
    attemptLimits: { perAccount: 3, perAddress: 100, windowMs: 60_000 },
  }

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
    for (let turn = 0; turn < 3; turn++) await begin(ctx, { email: 'a@example.com' })
    for (let turn = 0; turn < 5; turn++)
      await t.rejects(begin(ctx, { email: 'a@example.com' }), TooManyAttempts)
    t.same(await counted(), { account: 3, network: 3 })
  })

  t.test('a guess that is forgiven while others are refused leaves the next ones counted', async (t) => {
    for (let turn = 0; turn < 3; turn++) await begin(ctx, { email: 'a@example.com' })
    const refused = Array.from({ length: 20 }, () =>
      begin(ctx, { email: 'a@example.com' }).catch(() => undefined),
    )
    await Promise.all([...refused, forgive(ctx, 'a@example.com')])
    await db.query("DELETE FROM login_attempts WHERE subject LIKE 'account:%'")
    for (let turn = 0; turn < 3; turn++) await begin(ctx, { email: 'a@example.com' })
    await t.rejects(begin(ctx, { email: 'a@example.com' }), TooManyAttempts)
  })

  t.test('the network is refused first, and the account not counted for it', async (t) => {
    const strict = { ...ctx, attemptLimits: { ...ctx.attemptLimits, perAddress: 2 } }
    for (let turn = 0; turn < 2; turn++) await begin(strict, { email: `${turn}@example.com` })
    await t.rejects(begin(strict, { email: 'b@example.com' }), TooManyAttempts)
    t.same(await counted(), { account: 1, network: 2 })
    t.equal((await db.query("SELECT FROM login_attempts WHERE subject LIKE 'account:%'")).length, 2)
  })

  t.test('a right password clears the account and takes its own attempt back from the network', async (t) => {
    await begin(ctx, { email: 'a@example.com' })
    const attempt = await begin(ctx, { email: 'a@example.com' })
    await attempt.succeeded()
    t.same(await counted(), { network: 1 })
  })

  t.test("a session's guesses count apart from its account's", async (t) => {
    for (let turn = 0; turn < 3; turn++) await begin(ctx, { session: 'one' })
    await t.rejects(begin(ctx, { session: 'one' }), TooManyAttempts)
    const attempt = await begin(ctx, { session: 'two' })
    await begin(ctx, { email: 'a@example.com' })
    t.same(await counted(), { account: 1, network: 5, session: 1 }, 'the last session')
    await attempt.succeeded()
    t.same(await counted(), { account: 1, network: 4, session: 3 })
  })

  t.test('an error does not count as a guess', async (t) => {
    const attempt = await begin(ctx, { email: 'a@example.com' })
    t.same(await counted(), { account: 1, network: 1 })
    await t.rejects(attempt.undo(new Error('no capacity')), { message: 'no capacity' })
    t.same(await counted(), { account: 0, network: 0 })
  })

  t.test('the window begins with the first wrong password, and later ones do not move its end', async (t) => {
    const ends = () => db.query('SELECT subject, expires_at FROM login_attempts ORDER BY 1')
    await begin(ctx, { email: 'a@example.com' })
    const first = await ends()
    t.equal(first.length, 2)
    for (let turn = 0; turn < 2; turn++) await begin(ctx, { email: 'a@example.com' })
    await begin(ctx, { email: 'a@example.com' }).catch(() => undefined)
    t.same(await ends(), first)
    await db.query("UPDATE login_attempts SET expires_at = now() - interval '1 millisecond'")
    await begin(ctx, { email: 'a@example.com' })
    t.same(await counted(), { account: 1, network: 1 }, 'after its end the count starts again')
    const left = await db.query<{ left: number }>(
      'SELECT extract(epoch FROM expires_at - now())::float8 AS left FROM login_attempts',
    )
    for (const { left: seconds } of left) t.ok(seconds > 30 && seconds <= 60, `${seconds} of 60 s`)
  })

  t.test('a refusal is the typed error, with what is left of the window of who is refused', async (t) => {
    const refusalOf = async (email: string) => {
      const thrown = await begin(ctx, { email: email }).then(
        () => undefined,
        (error: unknown) => error,
      )
      t.type(thrown, Error)
      t.match(thrown, { definition: { code: 'too_many_attempts' }, retryAfter: Number })
      return thrown instanceof ServiceError ? Math.ceil((thrown.retryAfter ?? 0) / 60) : 0
    }
    await begin(ctx, { email: 'a@example.com' })
    await db.query(`UPDATE login_attempts SET failures = 100, expires_at = now() +
      CASE WHEN subject LIKE 'network:%' THEN interval '40 minutes' ELSE interval '20 minutes' END`)
    t.equal(await refusalOf('b@example.com'), 40, 'the network')
    await db.query('UPDATE login_attempts SET failures = 3')
    t.equal(await refusalOf('a@example.com'), 20, 'the account')
    await db.query("UPDATE login_attempts SET expires_at = clock_timestamp() + interval '1 millisecond'")
    const last = await begin(ctx, { email: 'a@example.com' }).catch((error: unknown) => error)
    if (last instanceof Error) t.match(last, { retryAfter: 1 }, 'at least a second')
  })

  t.test('what is taken back is taken back before the answer', async (t) => {
    const endings: ((attempt: Attempt) => Promise<void>)[] = [
      (attempt) => attempt.succeeded(),
      (attempt) => attempt.undo(new Error('no capacity')),
    ]
    const subjects = ['account:%', 'network:%']
    for (const [end, subject] of endings.flatMap((end) =>
      subjects.map((subject) => [end, subject] as const),
    )) {
      await begin(ctx, { email: 'a@example.com' })
      let isDone = false
      const { promise: held, resolve: release } = Promise.withResolvers<void>()
      const locked = Promise.withResolvers<void>()
      const attempt = await begin(ctx, { email: 'a@example.com' })
      const lock = app.db.transaction(async (tx) => {
        const text = 'SELECT FROM login_attempts WHERE subject LIKE $1 FOR UPDATE'
        await tx.query({ name: 'lock', text, values: [subject] })
        locked.resolve()
        await held
      })
      await locked.promise
      const settled = end(attempt)
        .catch(() => undefined)
        .then(() => {
          isDone = true
        })
      await eventually(async () => {
        const waiting =
          'SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = $1'
        return (await db.query(waiting, ['Lock'])).length > 0
      })
      t.notOk(isDone, subject)
      release()
      await Promise.all([lock, settled])
      await db.query('DELETE FROM login_attempts')
    }
  })

  t.test('what cannot be taken back is an error of who asks, and of nobody else', async (t) => {
    await db.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE 'planted'; END $$`)
    await db.query(`CREATE TRIGGER refuse BEFORE UPDATE ON login_attempts FOR EACH ROW
      WHEN (new.failures < old.failures) EXECUTE FUNCTION refuse()`)
    t.teardown(() => db.query('DROP FUNCTION refuse CASCADE'))
    for (let turn = 0; turn < 3; turn++) await begin(ctx, { email: 'a@example.com' })
    await t.rejects(begin(ctx, { email: 'a@example.com' }), { message: 'planted' })
  })

  t.test('mails: their window does not move either, and topics count apart', async (t) => {
    const limited = { ...ctx, mailLimit: { perAccount: 2, windowMs: 60_000 } }
    const ask = (email: string, topic: 'recovery' | 'address') => mayMail(limited, email, topic)
    t.strictSame([await ask('a@example.com', 'recovery')], [true])
    const ends = () => db.query('SELECT expires_at FROM login_attempts ORDER BY subject LIMIT 1')
    const first = await ends()
    t.strictSame(
      [await ask('A@example.com', 'recovery'), await ask('a@example.com', 'recovery')],
      [true, false],
    )
    t.same(await ends(), first)
    t.equal(await ask('a@example.com', 'address'), true)
    t.equal(await ask('b@example.com', 'recovery'), true)
    await db.query("UPDATE login_attempts SET expires_at = now() - interval '1 second'")
    t.equal(await ask('a@example.com', 'recovery'), true)
  })
})
