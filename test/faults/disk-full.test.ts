import { chown, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { killServer } from '#test/support/embedded-servers.ts'
import { call } from '#test/support/http.ts'
import { assertAnswers, audit, startLoad } from './ledger.ts'
import { assertUnharmed, notReady, ready, startRig } from './rig.ts'
import { lacksMounts, mountSmallDisk } from './tmpfs.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(600_000)

const skip = lacksMounts()

t.test('no room for data: writes are 503, reads go on, and recovery', { skip }, async (t) => {
  const disk = await mountSmallDisk(t, 16)
  const { postgres, services, urls, admin } = await startRig(t)
  // Without room it can't end in order.
  t.teardown(disk.empty)
  const url = urls[0] ?? ''
  const { uid, gid } = await stat(join(postgres.directory, 'cluster'))
  const location = join(disk.directory, 'tables')
  await mkdir(location)
  await chown(location, uid, gid)
  await postgres.query(`CREATE TABLESPACE small LOCATION '${location}'`)
  await postgres.query('ALTER TABLE users SET TABLESPACE small')
  await postgres.query('ALTER TABLE one_time_tokens SET TABLESPACE small')
  const load = startLoad(t, { target: () => url, token: admin.token })
  await load.acknowledges(50)
  await disk.fill()
  // What has room in the pages that are there already still goes in.
  await load.fails(100)
  const full = services[0]?.logs().filter(({ err }) => JSON.stringify(err)?.includes('53100')) ?? []
  t.ok(full.length > 0, 'the disk is full')
  t.match(await call(`${url}/api/v1/users/${admin.id}`, { token: admin.token }), { status: 200 })
  t.match(await call(`${url}/ready`), { status: 200 })
  await disk.empty()
  await load.acknowledges(50)
  await load.stop()
  await audit(t, load, postgres)
  assertAnswers(t, load)
  assertUnharmed(t, services)
})

t.test(
  'no room for the log: PostgreSQL gives up, and nothing is lost when there is room again',
  { skip },
  async (t) => {
    const disk = await mountSmallDisk(t, 160)
    const directory = join(disk.directory, 'server')
    await mkdir(directory)
    t.teardown(() => killServer(directory))
    const settings = { min_wal_size: '32MB', max_wal_size: '64MB', wal_recycle: 'off', wal_init_zero: 'on' }
    const { postgres, services, urls, admin } = await startRig(t, { directory, settings })
    const url = urls[0] ?? ''
    // Without room it can't end in order.
    t.teardown(disk.empty)
    const load = startLoad(t, { target: () => url, token: admin.token })
    await load.acknowledges(50)
    await disk.fill()
    // The rest of the log's last file is used up by somebody else.
    const churn = `DO $$ BEGIN
    FOR i IN 1..100 LOOP PERFORM pg_logical_emit_message(false, 'churn', repeat('x', 1000000)); COMMIT; END LOOP;
  END $$`
    await t.rejects(postgres.query(churn), 'PostgreSQL is down')
    await load.fails(20)
    await notReady(url)
    t.match(await call(`${url}/live`), { status: 200 })
    await disk.empty()
    // As its supervisor does, if it has not come back by itself.
    await postgres.restart()
    await ready(url)
    await load.acknowledges(50)
    await load.stop()
    await audit(t, load, postgres)
    assertAnswers(t, load)
    assertUnharmed(t, services)
  },
)
