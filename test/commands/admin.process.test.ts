import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { call, registration } from '#test/support/http.ts'
import { compileCache, environment, startProcess, startService } from '#test/support/process.ts'
import { copyProject } from '#test/support/project-copy.ts'

const COMMAND = join(import.meta.dirname, '../../commands/admin.ts')
const PASSWORD = 'correct horse \u{1F40E} staple'

t.test('in a terminal the prompt does not show the password', { skip: lacksScript() }, async (t) => {
  const { db, request } = await createTestApp(t)
  const command = `"${process.execPath}" "${COMMAND}" create --email a@example.com --username somebody`
  const terminal = startProcess(t, 'script', ['-qec', command, '/dev/null'], {
    env: environment({ APP_ENVIRONMENT: 'test', APP_DATABASE__URL: db.url }),
  })
  await eventually(async () => terminal.stdout().includes('Password:'))
  terminal.child.stdin?.write(`${PASSWORD}\r`)
  t.match(await terminal.exited, { code: 0 })
  t.match(terminal.stdout(), /Created the admin somebody/)
  t.notMatch(terminal.stdout(), /correct|horse|staple/)
  const payload = { email: 'a@example.com', password: PASSWORD }
  t.equal((await request({ method: 'POST', url: '/api/v1/auth/login', payload })).statusCode, 200)
})

t.test('by npm, beside a running service on the embedded server', async (t) => {
  const { directory, postgresRuns } = await copyProject(t)
  const service = await startService(t, { APP_ENVIRONMENT: 'development' }, { cwd: directory })
  const { email, username } = registration()
  const npm = startProcess(
    t,
    'npm',
    ['run', 'admin', '--offline', '--', 'create', '--email', email, '--username', username],
    {
      cwd: directory,
      env: environment({ APP_ENVIRONMENT: 'development', ...compileCache(directory) }),
    },
  )
  npm.child.stdin?.end(`${PASSWORD}\n`)
  t.match(await npm.exited, { code: 0 })
  t.match(npm.stdout(), new RegExp(`Created the admin ${username}`))
  t.notMatch(npm.stdout() + npm.stderr(), /horse/)
  t.match(npm.stderr(), /PostgreSQL.* in .*\.data\/postgres/)
  t.ok(await postgresRuns(), 'the service still needs it')
  const login = { method: 'POST', json: { email, password: PASSWORD } }
  t.match(await call(`${service.url}/api/v1/auth/login`, login), { status: 200 })
})

function lacksScript(): string | false {
  const { status } = spawnSync('script', ['--version'])
  return status === 0 ? false : 'needs script from util-linux'
}
