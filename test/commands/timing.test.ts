import t, { type Test } from 'tap'
import { type CommandResult, runCommand } from '#test/support/command.ts'
import { createTestApp, type TestApp } from '#test/support/helper.ts'

/** As no service of this machine's is. */
const run = (args: readonly string[]) =>
  runCommand('timing', args, { env: { APP_ENVIRONMENT: 'development' } })

async function listen(t: Test, env: Record<string, string>): Promise<TestApp & { url: string }> {
  const test = await createTestApp(t, { APP_LOG__LEVEL: 'silent', ...env })
  return { ...test, url: await test.app.listen({ host: '127.0.0.1', port: 0 }) }
}

function checkReport(t: Test, { code, stdout, stderr }: CommandResult, pairs: number): void {
  t.equal(stderr, '')
  t.equal(code, 0)
  const [heading, , unknown = '', wrong = '', difference = ''] = stdout.split('\n')
  t.equal(heading, `${pairs} pairs, milliseconds`)
  const numbers = (line: string) => line.match(/-?\d+\.\d+/g)?.map(Number) ?? []
  for (const line of [unknown, wrong]) {
    const [median = 0, first = 0, third = 0] = numbers(line)
    t.ok(0 < first && first <= median && median <= third, line)
  }
  const [[a = 0] = [], [b = 0] = [], [c = 0] = []] = [unknown, wrong, difference].map(numbers)
  t.ok(Math.abs(b - a - c) < 0.002, difference)
}

t.test('measures a service of its own, whose limits do not end the measurement', async (t) => {
  // More than the default rate limit admits in its window.
  const result = await run(['--pairs', '30'])
  checkReport(t, result, 30)
})

t.test('measures one that runs', async (t) => {
  const { url, db, signUp } = await listen(t, { APP_AUTH__LOGIN_LIMIT__PER_ADDRESS: '1000' })
  checkReport(t, await run(['--url', `${url}/`, '--pairs', '11']), 11)
  const accounts = await db.query("SELECT FROM users WHERE email LIKE 'timing-%'")
  t.equal(accounts.length, 3, 'as many as the limit of an account makes necessary')
  const { user } = await signUp()
  const refused = await run(['--url', url, '--pairs', '20', '--email', user.email])
  t.equal(refused.code, 1)
  t.match(refused.stderr, /^A login was answered with 429 in place of 401\. Raise auth\.login_limit/)
})

t.test('says so where nobody can register, or nothing answers as it should', async (t) => {
  const { url, signUp } = await listen(t, { APP_AUTH__REGISTRATION: 'closed' })
  const closed = await run(['--url', url, '--pairs', '1'])
  t.match(closed, { code: 1, stdout: '', stderr: /^No account was made, so name some by --email: 403/ })
  const { user } = await signUp()
  const elsewhere = await run(['--url', `${url}/nowhere`, '--pairs', '1', '--email', user.email])
  t.match(elsewhere, { code: 1, stderr: /^A login was answered with 404 in place of 401\.\n/ })
  t.match(await run(['--url', 'http://127.0.0.1:1', '--pairs', '1']), { code: 1, stderr: /fetch failed/ })
})

t.test('explains its use', async (t) => {
  const wrong = [['--pairs', '0'], ['--url', 'ftp://x'], ['--email', 'a@b.c'], ['--all']]
  for (const args of wrong) {
    const { code, stdout, stderr } = await run(args)
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /\nUsage: npm run timing/)
  }
})
