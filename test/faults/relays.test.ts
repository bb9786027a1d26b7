import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { startNats, WITHOUT_NATS } from '#test/support/nats-server.ts'
import { environment } from '#test/support/process.ts'

// Hundreds of processes, on a machine that may be busy.
t.setTimeout(1_800_000)

/** Events that a relay takes at once. */
const BATCH = 20
/** Lines that a relay prints for each batch. */
const STEPS = 3
/** Batches of a relay at most, of which it is killed in the last. */
const LONGEST_LIFE = 3

const EVENTS = `
  INSERT INTO events (id, type, version, subject_type, subject_id, actor_kind, data)
  SELECT gen_random_uuid(), 'users.created', 1, 'user', gen_random_uuid(), 'system', '{}'
  FROM generate_series(1, $1::int)`

/** Starts a relay for some batches; resolves to whether it was killed, after so many steps. */
async function runRelay(t: Test, args: readonly string[], batches: number, steps: number): Promise<boolean> {
  const script = join(import.meta.dirname, 'relay-process.ts')
  const child = spawn(process.execPath, [script, ...args], {
    env: environment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  child.stdin.on('error', () => undefined)
  child.stdin.write('go\n'.repeat(batches))
  const exited = once(child, 'exit')
  let seen = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'done') break
    // Wherever it is now: it does not wait for us.
    if (++seen === steps) child.kill('SIGKILL')
  }
  const [, signal] = await exited
  return signal === 'SIGKILL'
}

/** A number from 1 on, random. */
const upTo = (most: number) => 1 + Math.floor(Math.random() * most)

interface Scene {
  readonly db: TestDatabase
  readonly target: string
  readonly kills: number
  readonly events: number
}

/** Kills relays, two at a time, and then lets one finish; returns the ids of the events. */
async function killRelays(t: Test, { db, target, kills, events }: Scene): Promise<string[]> {
  await db.query(EVENTS, [events])
  const args = [db.url, target, String(BATCH)]
  let killed = 0
  const killSome = async () => {
    while (killed < kills) {
      const batches = upTo(LONGEST_LIFE)
      // Somewhere in its last batch; false if there was nothing left to do.
      if (!(await runRelay(t, args, batches, STEPS * (batches - 1) + upTo(STEPS)))) return
      killed++
    }
  }
  await Promise.all([killSome(), killSome()])
  t.ok(killed >= kills, `${killed} relays were killed`)
  t.notOk(await runRelay(t, args, events, Number.POSITIVE_INFINITY))
  t.same(await db.query('SELECT id FROM events WHERE broker_at IS NULL'), [])
  const rows = await db.query<{ id: string }>('SELECT id FROM events ORDER BY id')
  return rows.map(({ id }) => id)
}

t.test('200 relays are killed over 10 000 events, and none is lost', async (t) => {
  const db = await createTestDatabase(t)
  const target = join(t.testdir(), 'taken')
  const ids = await killRelays(t, { db, target, kills: 200, events: 10_000 })
  const taken = readFileSync(target, 'utf8').trimEnd().split('\n')
  t.equal(ids.length, 10_000)
  t.strictSame([...new Set(taken)].sort(), ids, 'none is missing; what comes twice has the id that it had')
  t.comment(`${taken.length - ids.length} came again`)
})

t.test('relays to NATS are killed, and none is lost', { skip: WITHOUT_NATS }, async (t) => {
  const db = await createTestDatabase(t)
  const nats = await startNats(t)
  const ids = await killRelays(t, { db, target: nats.url, kills: 20, events: 1200 })
  const messages = await nats.messages('killed')
  const received = messages.map((message) => message.json<{ id: string }>().id)
  t.strictSame([...new Set(received)].sort(), ids)
  for (const [index, message] of messages.entries())
    t.equal(message.header.get('Nats-Msg-Id'), received[index])
})
