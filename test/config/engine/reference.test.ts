import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { configKeys } from '#config/engine/keys.ts'
import { renderReference } from '#config/engine/reference.ts'

const project = join(import.meta.dirname, '../../..')

function withoutPadding(text: string): string {
  return text.replaceAll(/ +\|/g, ' |')
}

t.test('docs/configuration.md is what the schema and the files say', async (t) => {
  const committed = readFileSync(join(project, 'docs/configuration.md'), 'utf8')
  t.equal(committed, renderReference(), 'npm run config:docs writes it')
})

t.test('every key has a row, and every secret is marked', async (t) => {
  const rows = withoutPadding(renderReference()).split('\n')
  for (const { path, variable, secret } of configKeys) {
    const [row, ...more] = rows.filter((line) => line.startsWith(`| \`${path}\` | \`${variable}\` |`))
    t.ok(row, path)
    t.same(more, [])
    t.equal(row?.includes(`**Secret**; also \`${variable}_FILE\``), secret)
    t.equal(row?.split(/(?<!\\)\|/).length, 6, 'four cells')
  }
})

t.test('defaults come from the files, and secrets in them are not shown', async (t) => {
  const directory = t.testdir({
    'default.toml':
      '[server]\nhost = "a|b"\nport = 1\ntrusted_proxies = ["loopback"]\n[docs]\nenabled = true',
    'test.toml': '[server]\nport = 2\n[jwt]\nsecret = "planted"',
    'production.toml': '[server]\nport = 3',
  })
  const text = withoutPadding(renderReference(directory))
  t.match(text, '| `environment` | `APP_ENVIRONMENT` | `development` |')
  t.match(text, '| `server.host` | `APP_SERVER__HOST` | `a\\|b` |')
  t.match(text, '| `server.port` | `APP_SERVER__PORT` | `1`; `2` in test; `3` in production |')
  t.match(text, '| `server.trusted_proxies` | `APP_SERVER__TRUSTED_PROXIES` | `["loopback"]` |')
  t.match(text, '| `docs.enabled` | `APP_DOCS__ENABLED` | `true` |')
  t.match(text, '| `jwt.secret` | `APP_JWT__SECRET` | none; a public one in test |')
  t.match(text, '| `database.url` | `APP_DATABASE__URL` | none |')
  t.notMatch(text, /planted/)
})
