import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { parse as parseYaml } from 'yaml'
import { createTestApp } from '#test/support/helper.ts'

const root = join(import.meta.dirname, '../..')
const file = join(root, 'openapi.json')
const redocly = createRequire(import.meta.url).resolve('@redocly/cli/bin/cli.js')

t.test('the document in the repository is the one that is served', async (t) => {
  const { request } = await createTestApp(t)
  const committed: unknown = JSON.parse(await readFile(file, 'utf8'))
  const json = await request({ url: '/docs/json' })
  const yaml = await request({ url: '/docs/yaml' })
  t.strictSame(json.json(), committed, 'npm run openapi writes it again')
  t.strictSame(parseYaml(yaml.body, { maxAliasCount: 0 }), committed)
  t.match(json.headers['content-type'], /^application\/json/)
  t.match(yaml.headers['content-type'], /yaml/)
})

t.test('Redocly finds it a valid OpenAPI 3.1 document without a warning', async (t) => {
  const lint = (path: string) =>
    promisify(execFile)(process.execPath, [redocly, 'lint', path, '--format=json'], {
      cwd: root,
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    })
  const { stdout } = await lint(file)
  t.match(JSON.parse(stdout), { totals: { errors: 0, warnings: 0 } })

  const document = JSON.parse(await readFile(file, 'utf8'))
  document.paths['/live'].get.responses = 'none'
  const directory = t.testdir({ 'openapi.json': JSON.stringify(document) })
  await t.rejects(lint(join(directory, 'openapi.json')), { code: 1 }, 'the linter does read it')
})

t.test('without docs.enabled there is no document', async (t) => {
  const { request } = await createTestApp(t, { APP_DOCS__ENABLED: 'false' })
  for (const url of ['/docs', '/docs/', '/docs/json', '/docs/yaml', '/docs/static/index.css']) {
    t.equal((await request({ url })).statusCode, 404, url)
  }
})
