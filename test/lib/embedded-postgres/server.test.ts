import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadBinaries } from '#lib/embedded-postgres/binaries.ts'
import { EmbeddedPostgresError } from '#lib/embedded-postgres/embedded-postgres-error.ts'
import { chooseLauncher, output } from '#lib/embedded-postgres/launcher.ts'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { findPostmaster } from '#lib/embedded-postgres/postmaster.ts'
import { ensureServer, serverArguments } from '#lib/embedded-postgres/server.ts'
import { createEmptyDatabase } from '#test/support/database.ts'
import { testServerDirectory } from '#test/support/test-server.ts'

const DATA = join(import.meta.dirname, '../../../.data')

/** Options with which one joins the server of the tests, which runs. */
async function running(t: Test) {
  await createEmptyDatabase(t)
  const layout = await openLayout(testServerDirectory(DATA))
  const binaries = await loadBinaries()
  const lines: string[] = []
  const options = {
    layout,
    binaries,
    launcher: await chooseLauncher(layout, binaries),
    settings: {},
    log: (line: string) => lines.push(line),
    choosePort: () => Promise.reject(new Error('nothing is to be started')),
  }
  return { options, lines, postmaster: await findPostmaster(layout) }
}

t.test('a server that runs already is used', async (t) => {
  const { options, lines, postmaster } = await running(t)
  const { port } = await ensureServer(options)
  t.equal(port, postmaster?.port)
  t.strictSame(lines, [`Using the PostgreSQL that runs in ${options.layout.directory}, port ${port}`])
})

t.test('one that refuses our password is not, and the message says what to do', async (t) => {
  const { options } = await running(t)
  const password = join(t.testdir({}), 'password')
  writeFileSync(password, 'another', { mode: 0o600 })
  const wrong = ensureServer({ ...options, layout: { ...options.layout, password } })
  const error = await wrong.then(t.fail, (thrown: unknown) => thrown)
  t.type(error, EmbeddedPostgresError)
  t.match(error, {
    message: `refuses the password in ${password}. Put back the file`,
    cause: { code: '28P01' },
  })
})

t.test('one that is started is reached from this machine alone, whatever else is set', async (t) => {
  const set = {
    fsync: 'off',
    timezone: 'Asia/Tokyo',
    port: '1',
    listen_addresses: '*',
    unix_socket_directories: '/tmp',
  }
  const own = ['port=5000', 'listen_addresses=127.0.0.1', 'unix_socket_directories=']
  const settingsOf = (settings: Record<string, string>) => {
    const [place, cluster, ...pairs] = serverArguments({ cluster: '/data' }, settings, 5000)
    t.strictSame([place, cluster], ['-D', '/data'])
    t.ok(pairs.every((part, index) => (part === '-c') === (index % 2 === 0)))
    return pairs.filter((part) => part !== '-c').sort()
  }
  t.strictSame(settingsOf({}), ['timezone=UTC', ...own].sort(), 'times are those of no place')
  t.strictSame(settingsOf(set), ['fsync=off', 'timezone=Asia/Tokyo', ...own].sort())
})

t.test('the programs run without our variables, as somebody who is not root', async (t) => {
  const { options } = await running(t)
  const { account, command } = options.launcher
  const shell = (script: string) => output(command('/bin/sh', ['-c', script]))
  const uid = process.getuid?.()
  const { code, text } = await shell('id -u; id -g; pwd; env | sort')
  t.equal(code, 0)
  const [user, group, directory, ...variables] = text.trim().split('\n')
  t.not(user, '0')
  t.equal(Number(user), uid === 0 ? account?.uid : uid)
  if (uid === 0) t.equal(Number(group), account?.gid)
  t.equal(directory, '/')
  const names = variables
    .map((line) => line.split('=')[0])
    .filter((name) => !/^(PWD|SHLVL|_|OLDPWD)$/.test(`${name}`))
  t.strictSame(names, ['LC_ALL', 'PATH', 'TZ'])
  t.strictSame(await shell('echo a; echo b >&2; exit 3'), { code: 3, text: 'a\nb\n' })
  t.match(await output({ file: '/no/such/file', args: [], options: {} }), { code: null, text: /ENOENT/ })
})
