import { chmod, mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { loadBinaries } from '#lib/embedded-postgres/binaries.ts'
import { clusterExists, createCluster } from '#lib/embedded-postgres/cluster.ts'
import { removeUnusedServer, startEmbeddedPostgres } from '#lib/embedded-postgres/embedded-postgres.ts'
import { chooseLauncher } from '#lib/embedded-postgres/launcher.ts'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { withLock } from '#lib/embedded-postgres/lock.ts'
import { findPostmaster } from '#lib/embedded-postgres/postmaster.ts'
import { ensureServer, freePort } from '#lib/embedded-postgres/server.ts'
import { FAST, query, serverDirectory, start, startChild } from '#test/support/embedded-servers.ts'
import { eventually } from '#test/support/eventually.ts'

const root = process.getuid?.() === 0

t.test('a platform without the package is told what to do', async (t) => {
  await t.rejects(loadBinaries('plan9-mips'), {
    message: /@embedded-postgres\/plan9-mips, which is not installed.*APP_DATABASE__URL/s,
  })
})

t.test('a port that is taken between choice and start is given up for another', async (t) => {
  const squatter = createServer().listen(0, '127.0.0.1')
  t.teardown(() => squatter.close())
  const taken = await freePort()
  squatter.close()
  squatter.listen(taken, '127.0.0.1')
  const layout = await openLayout(await serverDirectory(t))
  const binaries = await loadBinaries()
  const launcher = await chooseLauncher(layout, binaries)
  await createCluster(layout, binaries, launcher, { durable: true })
  const ports = [taken]
  const choosePort = async () => ports.pop() ?? (await freePort())
  const options = { layout, binaries, launcher, settings: FAST, log: () => undefined, choosePort }
  const address = await ensureServer(options)
  t.not(address.port, taken)
  t.same(ports, [])
})

t.test('initdb that fails leaves nothing and says why', async (t) => {
  const layout = await openLayout(await serverDirectory(t))
  const binaries = await loadBinaries()
  const launcher = await chooseLauncher(layout, binaries)
  const broken = { ...binaries, initdb: '/bin/ls' }
  await t.rejects(createCluster(layout, broken, launcher, { durable: false }), {
    message: /initdb failed: .*--pgdata/s,
  })
  const missing = { ...binaries, initdb: '/nowhere/initdb' }
  await t.rejects(createCluster(layout, missing, launcher, { durable: false }), {
    message: /initdb failed: .*ENOENT/,
  })
})

t.test('a start that is given up leaves no server, and another can follow', async (t) => {
  const directory = await serverDirectory(t)
  const layout = await openLayout(directory)
  const given = new AbortController()
  // Nobody is let in for a while, so the start is still under way.
  const settings = { ...FAST, pre_auth_delay: '50s' }
  const started = startEmbeddedPostgres({ directory, settings, signal: given.signal })
  started.catch(() => undefined)
  await eventually(async () => ((await findPostmaster(layout))?.port ?? 0) > 0)
  given.abort()
  await eventually(async () => (await findPostmaster(layout)) === undefined)
  await t.rejects(started)
  const next = await start(directory)
  await next.stop()
})

t.test('a server that nobody uses is ended and removed; one that is used or starting stays', async (t) => {
  const directory = await serverDirectory(t)
  const layout = await openLayout(directory)
  const server = await start(directory)
  await removeUnusedServer(directory)
  t.ok(await findPostmaster(layout), 'it is used')
  const child = startChild(t, directory)
  await child.url()
  await server.stop()
  await child.kill()
  await withLock(layout.lock, () => removeUnusedServer(directory))
  t.ok(await findPostmaster(layout), 'somebody starts or stops it')
  await eventually(async () => {
    await removeUnusedServer(directory)
    return (await findPostmaster(layout)) === undefined
  })
  t.notOk(await clusterExists(layout))
})

t.test('as root', { skip: root ? false : 'needs root' }, async (t) => {
  t.test('the server runs as another user', async (t) => {
    const { superuserUrl } = await start(await serverDirectory(t))
    const [row] = await query(
      superuserUrl,
      "SELECT pg_read_file('/proc/self/status') ~ 'Uid:\\s+0\\s' AS root",
    )
    t.same(row, { root: false })
  })

  t.test('it runs below a directory that only root may enter', async (t) => {
    const parent = await serverDirectory(t)
    await mkdir(parent)
    await chmod(parent, 0o700)
    const { url } = await start(join(parent, 'below'))
    t.same(await query(url, 'SELECT 1 AS one'), [{ one: 1 }])
  })

  t.test('where that is impossible, it says so', async (t) => {
    const layout = await openLayout(await serverDirectory(t))
    const binaries = { initdb: '/nowhere/bin/initdb', postgres: '/nowhere/bin/postgres' }
    await t.rejects(chooseLauncher(layout, binaries), {
      message: /refuses to run as root.* cannot reach .*\/nowhere\/bin/s,
    })
  })

  t.test('an ordinary user gets a server of its own', async (t) => {
    const directory = await serverDirectory(t)
    const child = startChild(t, directory, { uid: 65534, gid: 65534, cwd: '/' })
    const url = await child.url()
    t.same(await query(url, 'SELECT 1 AS one'), [{ one: 1 }])
    await child.stop()
    // Root goes on with what belongs to that user.
    const { url: again, stop } = await start(directory)
    t.same(await query(again, 'SELECT 1 AS one'), [{ one: 1 }])
    await stop()
  })
})
