import { execFile, execFileSync } from 'node:child_process'
import t from 'tap'
import { createTestApp } from '#test/support/helper.ts'

const TOKEN = 'a token of the operator'
const PRODUCTION = { APP_ENVIRONMENT: 'production', APP_JWT__SECRET: 'k'.repeat(48) }

t.test('who may read the metrics', async (t) => {
  const cases: [name: string, env: Record<string, string>, without: number, wrong: number, right: number][] =
    [
      ['development', { APP_ENVIRONMENT: 'development' }, 200, 200, 200],
      [
        'development with a token',
        { APP_ENVIRONMENT: 'development', APP_METRICS__TOKEN: TOKEN },
        401,
        401,
        200,
      ],
      ['production', PRODUCTION, 404, 404, 404],
      ['production with a token', { ...PRODUCTION, APP_METRICS__TOKEN: TOKEN }, 401, 401, 200],
      ['production, public', { ...PRODUCTION, APP_METRICS__PUBLIC: 'true' }, 200, 200, 200],
      [
        'production, public with a token',
        { ...PRODUCTION, APP_METRICS__PUBLIC: 'true', APP_METRICS__TOKEN: TOKEN },
        401,
        401,
        200,
      ],
    ]
  for (const [name, env, without, wrong, right] of cases) {
    t.test(name, async (t) => {
      const { request } = await createTestApp(t, env)
      const ask = (authorization?: string) =>
        request({ url: '/metrics', headers: authorization === undefined ? {} : { authorization } })
      const anonymous = await ask()
      t.equal(anonymous.statusCode, without)
      if (without === 401) {
        t.equal(anonymous.headers['www-authenticate'], 'Bearer')
        t.match(anonymous.json(), { code: 'unauthenticated' })
      }
      for (const header of ['Bearer wrong', `Bearer ${TOKEN} `.repeat(2), `Basic ${TOKEN}`, TOKEN, '']) {
        t.equal((await ask(header)).statusCode, wrong, header)
      }
      t.equal((await ask(`Bearer ${TOKEN}`)).statusCode, right)
      t.equal((await ask(`bearer ${TOKEN}`)).statusCode, right, 'the scheme has no case')
      if (right === 200)
        t.match((await ask(`Bearer ${TOKEN}`)).headers['content-type'], /^text\/plain; version=0\.0\.4/)
    })
  }
})

const hasPromtool = (() => {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

t.test(
  'promtool finds nothing to say',
  { skip: hasPromtool ? false : 'promtool is not installed' },
  async (t) => {
    const { request, signUp } = await createTestApp(t)
    const { user } = await signUp()
    await request({
      method: 'POST',
      url: '/api/v1/auth/login',
      payload: { email: user.email, password: 'wrong one' },
    })
    const { body } = await request({ url: '/metrics' })
    const output = await new Promise<{ code: unknown; text: string }>((resolve) => {
      const child = execFile('promtool', ['check', 'metrics'], (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, text: stdout + stderr })
      })
      child.stdin?.end(body)
    })
    t.strictSame(output, { code: 0, text: '' })
  },
)
