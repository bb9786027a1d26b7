import { chmod, chown, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { loadBinaries } from '#lib/embedded-postgres/binaries.ts'
import { runInitdb } from '#lib/embedded-postgres/initdb.ts'
import { type Launcher, output } from '#lib/embedded-postgres/launcher.ts'

/** A user that no system has. */
const UID = 48_121
const AS_UID = ['--reuid', `${UID}`, '--regid', `${UID}`, '--clear-groups', '--inh-caps=-all']

const isRoot = process.getuid?.() === 0
const options = { cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } }

/** Runs programs as that user; `denied` stands for a container in which it may not make a namespace. */
function launcher({ denied = '' } = {}): Launcher {
  return {
    account: undefined,
    command: (file, args) => ({
      file: 'setpriv',
      args: [...AS_UID, file === denied ? 'false' : file, ...args],
      options,
    }),
  }
}

const canChange =
  isRoot && (await output(launcher().command('unshare', ['--user', '--map-user=65534', 'true']))).code === 0
const skip = canChange ? false : 'needs root, setpriv and user namespaces'

t.test('initdb runs for a user without an entry in /etc/passwd', { skip }, async (t) => {
  const { initdb } = await loadBinaries()
  const folder = t.testdir({})
  await chmod(folder, 0o755)
  await chown(folder, UID, UID)
  const data = join(folder, 'cluster')
  await runInitdb(launcher(), initdb, [
    `--pgdata=${data}`,
    '--username=postgres',
    '--auth=trust',
    '--no-sync',
  ])
  t.equal((await stat(join(data, 'PG_VERSION'))).uid, UID, 'its files are its own')
})

t.test('where no namespace can be made it says what to do', { skip }, async (t) => {
  const { initdb } = await loadBinaries()
  const args = [`--pgdata=${join(t.testdir({}), 'cluster')}`, '--username=postgres', '--auth=trust']
  await t.rejects(runInitdb(launcher({ denied: 'unshare' }), initdb, args), {
    name: 'EmbeddedPostgresError',
    message:
      /needs a name for its user, and 48121 has none in \/etc\/passwd\. Add an entry .*APP_DATABASE__URL/,
  })
})
