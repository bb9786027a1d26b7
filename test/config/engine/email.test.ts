import t from 'tap'
import { ConfigError } from '#config/engine/config-error.ts'
import { loadConfig } from '#config/load.ts'

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig({ env })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

t.test('links lead somewhere', async (t) => {
  t.strictSame(problemsOf({ APP_EMAIL__PAGES: 'false' }), [
    'APP_EMAIL__LINK_BASE: must be set when email.pages is false',
  ])
  t.strictSame(problemsOf({ APP_EMAIL__PAGES: 'false', APP_EMAIL__LINK_BASE: 'https://app.example.com' }), [])
})

t.test('mail that is really sent has a sender and links that lead to us', async (t) => {
  const env = {
    APP_ENVIRONMENT: 'production',
    APP_DATABASE__URL: 'postgres://a@b/c',
    APP_JWT__SECRET: 'a secret of this test that no file holds',
    APP_EMAIL__SMTP_URL: 'smtps://mail.example.com',
  }
  t.strictSame(problemsOf(env), [
    'APP_EMAIL__FROM: must be set when email.smtp_url is',
    'APP_SERVER__PUBLIC_URL: must be set when email.smtp_url is',
  ])
  const from = { APP_EMAIL__FROM: 'no-reply@example.com' }
  t.strictSame(problemsOf({ ...env, ...from, APP_SERVER__PUBLIC_URL: 'https://api.example.com' }), [])
  t.strictSame(problemsOf({ ...env, ...from, APP_EMAIL__LINK_BASE: 'https://app.example.com' }), [])
  t.strictSame(problemsOf({ ...env, APP_ENVIRONMENT: 'development' }), [], 'a mail catcher needs neither')
})

t.test('the role', async (t) => {
  t.equal(loadConfig().config.role, 'all')
  t.equal(loadConfig({ env: { APP_ROLE: 'worker' } }).config.role, 'worker')
  t.strictSame(problemsOf({ APP_ROLE: 'boss' }), ['APP_ROLE: must be one of all, web, worker'])
})
