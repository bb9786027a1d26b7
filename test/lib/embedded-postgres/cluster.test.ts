import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { clusterExists, createCluster, readPassword, removeCluster } from '#lib/embedded-postgres/cluster.ts'
import { runInitdb } from '#lib/embedded-postgres/initdb.ts'
import type { Account, Command, Launcher } from '#lib/embedded-postgres/launcher.ts'
import { openLayout } from '#lib/embedded-postgres/layout.ts'

const NAMELESS = 'initdb: error: could not look up effective user ID 48121: user does not exist'
const binaries = { initdb: '/programs/initdb', postgres: '/programs/postgres' }

/** Runs scripts of the shell in the place of programs, one after the other; each gets where the cluster is to be. */
function launcher(scripts: readonly string[], account?: Account) {
  const asked: (readonly string[])[] = []
  const command = (program: string, args: readonly string[]): Command => {
    const [first = ''] = args
    asked.push([program, ...args])
    const script = scripts[asked.length - 1] ?? 'exit 9'
    return { file: '/bin/sh', args: ['-c', script, 'sh', first.replace('--pgdata=', '')], options: {} }
  }
  const made: Launcher = { account, command }
  return { launcher: made, asked }
}

async function place(t: Test) {
  return openLayout(join(t.testdir({}), 'server'))
}

t.test('a cluster has its name when it is whole, and a password that only its owner can read', async (t) => {
  const layout = await place(t)
  for (const name of ['cluster.new-1', 'cluster.new-2']) mkdirSync(join(layout.directory, name))
  t.equal(await clusterExists(layout), false)
  const { launcher: makes, asked } = launcher(['mkdir "$1" && touch "$1/PG_VERSION"'])
  await createCluster(layout, binaries, makes, { durable: false })
  t.equal(await clusterExists(layout), true)
  t.strictSame(readdirSync(layout.directory).sort(), ['cluster', 'password'], 'nothing is left of others')
  const password = await readPassword(layout)
  t.match(password, /^[\w-]{32}$/)
  t.equal(statSync(layout.password).mode & 0o777, 0o600)
  const [[program, data, ...args] = []] = asked
  t.equal(program, binaries.initdb)
  t.match(data, /^--pgdata=.*\/server\/cluster\.new-[0-9a-f]{8}$/)
  t.strictSame(args, [
    '--username=postgres',
    `--pwfile=${layout.password}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-sync',
  ])
  await removeCluster(layout)
  await removeCluster(layout)
  t.equal(existsSync(layout.cluster), false)

  // Not of root, who may give files away.
  const account = process.getuid?.() === 0 ? { uid: 48_121, gid: 48_122 } : undefined
  const durable = launcher(['mkdir "$1"'], account)
  await createCluster(layout, binaries, durable.launcher, { durable: true })
  t.notOk(durable.asked[0]?.includes('--no-sync'))
  t.not(await readPassword(layout), password, 'another cluster has another')
  const { uid, gid } = statSync(layout.password)
  if (account !== undefined) t.strictSame({ uid, gid }, account)
})

t.test('what initdb leaves when it fails or is cut off is not a cluster', async (t) => {
  const layout = await place(t)
  const failing = launcher(['mkdir "$1"; echo "the disk is full" >&2; exit 1'])
  await t.rejects(createCluster(layout, binaries, failing.launcher, { durable: false }), {
    name: 'EmbeddedPostgresError',
    message: /^PostgreSQL's initdb failed: .*the disk is full/,
  })
  t.strictSame(readdirSync(layout.directory), ['password'])
  const stop = new AbortController()
  stop.abort()
  const cut = launcher(['exec sleep 60'])
  const { signal } = stop
  await t.rejects(createCluster(layout, binaries, cut.launcher, { durable: false, signal }), {
    name: 'EmbeddedPostgresError',
  })
  writeFileSync(layout.cluster, 'not a folder')
  t.equal(await clusterExists(layout), false)
})

t.test('initdb for a user without a name is run as nobody, or it is said what to do', async (t) => {
  const nameless = `echo "${NAMELESS}" >&2; exit 1`
  const again = launcher([nameless, 'exit 0'])
  await runInitdb(again.launcher, '/programs/initdb', ['--a', '--b'])
  t.strictSame(again.asked, [
    ['/programs/initdb', '--a', '--b'],
    ['unshare', '--user', '--map-user=65534', '--map-group=65534', '/programs/initdb', '--a', '--b'],
  ])
  await t.rejects(runInitdb(launcher([nameless, 'exit 1']).launcher, 'initdb', []), {
    name: 'EmbeddedPostgresError',
    message:
      /needs a name for its user, and 48121 has none in \/etc\/passwd\. Add an entry .*APP_DATABASE__URL/,
  })
  const other = launcher(['exit 1', 'exit 0'])
  await t.rejects(runInitdb(other.launcher, 'initdb', []), { message: /^PostgreSQL's initdb failed/ })
  t.equal(other.asked.length, 1, 'another failure is not tried again')
})
