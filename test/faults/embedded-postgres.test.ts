import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { endPostmaster } from '#lib/embedded-postgres/postmaster.ts'
import { query, serverDirectory, start, startChild } from '#test/support/embedded-servers.ts'
import { eventually } from '#test/support/eventually.ts'

async function postmasterPid(directory: string): Promise<number> {
  return Number.parseInt(await readFile(join(directory, 'cluster/postmaster.pid'), 'utf8'), 10)
}

t.test('four processes at once on an empty directory get one server, and leave none behind', async (t) => {
  const directory = await serverDirectory(t)
  const children = Array.from({ length: 4 }, () => startChild(t, directory))
  const urls = await Promise.all(children.map((child) => child.url()))
  t.equal(new Set(urls).size, 1)
  await Promise.all(children.map((child) => child.stop()))
  await t.rejects(query(urls[0] ?? '', 'SELECT 1'), { code: 'ECONNREFUSED' })
})

t.test('the server of a process that was killed is taken over, and stopped', async (t) => {
  const directory = await serverDirectory(t)
  const child = startChild(t, directory)
  const url = await child.url()
  await child.kill()
  t.same(await query(url, 'SELECT 1 AS one'), [{ one: 1 }])

  const heir = await start(directory)
  t.equal(heir.url, url)
  await heir.stop()
  await t.rejects(query(url, 'SELECT 1'), { code: 'ECONNREFUSED' })
})

t.test('fresh ends a server that was left behind, whatever it keeps', async (t) => {
  const directory = await serverDirectory(t)
  const child = startChild(t, directory)
  const url = await child.url()
  await query(url, 'CREATE TABLE notes ()')
  await child.kill()
  const heir = await start(directory, { fresh: true })
  await t.rejects(query(heir.url, 'SELECT FROM notes'), { code: '42P01' })
})

t.test('ending a server that has ended is not an error', async (t) => {
  const directory = await serverDirectory(t)
  const child = spawn('true')
  await once(child, 'exit')
  await t.resolves(endPostmaster(await openLayout(directory), child.pid ?? 0, 'SIGINT'))
})

t.test('a process that is killed while it makes the cluster harms nobody', async (t) => {
  const directory = await serverDirectory(t)
  const child = startChild(t, directory)
  await child.message(({ log }) => log?.startsWith('Making') === true)
  await child.kill()
  const { url } = await start(directory)
  t.same(await query(url, 'SELECT 1 AS one'), [{ one: 1 }])
})

t.test('a killed server is started again, and its users survive', async (t) => {
  const directory = await serverDirectory(t)
  const one = await start(directory)
  await query(one.url, "CREATE TABLE notes (text text); INSERT INTO notes VALUES ('kept')")
  process.kill(await postmasterPid(directory), 'SIGKILL')
  await eventually(() =>
    query(one.url, 'SELECT 1').then(
      () => false,
      () => true,
    ),
  )

  const two = await start(directory)
  t.same(await query(two.url, 'SELECT text FROM notes'), [{ text: 'kept' }])
  await one.stop()
  await two.stop()
})

t.test('one whose server is gone for good leaves in peace', async (t) => {
  const directory = await serverDirectory(t)
  const { stop } = await start(directory)
  process.kill(await postmasterPid(directory), 'SIGKILL')
  await t.resolves(stop())
})

t.test("a stale postmaster.pid with an unrelated process's number is seen through", async (t) => {
  const directory = await serverDirectory(t)
  const { stop } = await start(directory)
  const file = join(directory, 'cluster/postmaster.pid')
  const lines = (await readFile(file, 'utf8')).split('\n')
  await stop()

  // PostgreSQL itself would believe that a process of its own user, or of root's, is a server.
  const owner = process.getuid?.() === 0 ? { uid: 65534 } : {}
  const other = spawn('sleep', ['600'], { cwd: '/', ...owner })
  await once(other, 'spawn')
  t.teardown(() => other.kill())
  await writeFile(file, [other.pid, ...lines.slice(1)].join('\n'))
  const { url } = await start(directory)
  t.same(await query(url, 'SELECT 1 AS one'), [{ one: 1 }])
  t.equal(other.exitCode, null)
})

t.test('a keeper that lost its connection comes back, so its process still counts', async (t) => {
  const directory = await serverDirectory(t)
  const { superuserUrl: url } = await start(directory)
  const others = "FROM pg_stat_activity WHERE application_name = 'groundwork-keeper'"
  const [before] = await query(url, `SELECT pid ${others}`)
  await query(url, `SELECT pg_terminate_backend(pid) ${others}`)
  await eventually(async () => {
    const [after] = await query(url, `SELECT pid ${others}`)
    return after !== undefined && JSON.stringify(after) !== JSON.stringify(before)
  })
  const visitor = startChild(t, directory)
  await visitor.url()
  await visitor.stop()
  t.same(await query(url, 'SELECT 1 AS one'), [{ one: 1 }])
})
