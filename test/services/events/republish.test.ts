import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { republish } from '#services/events/republish.ts'
import { emitOne } from '#test/services/broker/brokers.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

t.test('events since a time wait for the broker again', async (t) => {
  const { app, db } = await borrowTestApp(t, { APP_ROLE: 'web' })
  for (let n = 0; n < 5; n++) await emitOne(app)
  const ids = (await db.query<{ id: string }>('SELECT id FROM events ORDER BY id')).map(({ id }) => id)
  const [early, at, later, personal, waiting] = ids
  const since = new Date('2026-01-31T08:00:00Z')
  const timed = (msecs: number) => uuidv7({ msecs: since.getTime() + msecs })
  const [before, exactly] = [timed(-1), timed(0)]
  await db.query('UPDATE events SET id = $1 WHERE id = $2', [before, early])
  await db.query('UPDATE events SET id = $1 WHERE id = $2', [exactly, at])
  await db.query('UPDATE events SET told_to = $1 WHERE id = $2', [uuidv7(), personal])
  await db.query('UPDATE events SET broker_at = now(), fanned_out_at = now() WHERE id <> $1', [waiting])
  t.equal(await republish(app.ctx.db, since), 2)
  const rows = await db.query<{ id: string }>('SELECT id FROM events WHERE broker_at IS NULL ORDER BY id')
  t.same(
    rows.map(({ id }) => id),
    [exactly, later, waiting],
    'not those of before, nor what one person alone is told',
  )
  t.equal((await db.query('SELECT FROM events WHERE fanned_out_at IS NULL')).length, 1, 'for nobody else')

  await db.query(
    `INSERT INTO events SELECT (jsonb_populate_record(event, jsonb_build_object('id', gen_random_uuid()))).*
                  FROM events AS event, generate_series(1, 1001) WHERE id = $1`,
    [later],
  )
  await db.query('UPDATE events SET id = $1 WHERE id = $2', [timed(1), later])
  await db.query('UPDATE events SET broker_at = now()')
  const count = await republish(app.ctx.db, new Date(0))
  t.equal(count, 1005, 'all of them, a batch after another')
  t.equal(await republish(app.ctx.db, new Date(0)), 0, 'they wait')
})
