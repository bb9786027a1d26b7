/** The calls that the pages show, run as they are written: the host, and what stands for an id, are all that differs. */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { environment, startProcess } from '#test/support/process.ts'
import { listen } from '#test/support/raw-http.ts'
import { createUpload } from '#test/support/uploads.ts'

const ROOT = join(import.meta.dirname, '../..')
const HOST = 'https://api.example.com'
const BYTES = 'twelve bytes'

const hasCurl = spawnSync('curl', ['--version']).error === undefined
const skip = hasCurl ? false : 'curl is not installed'

/** Options that curl 7.74 has, of Debian 11. */
const OLD_OPTIONS = new Set(['-d', '-H', '-I', '-i', '-N', '-T', '-X'])

/** Says the status of each call; a stream ends by itself after a while, which does not count. Few systems lack uuidgen. */
const SHELL = `
curl() { command curl -sS --max-time 5 -w '\\n%{http_code}\\n' "$@" || test $? = 28; }
uuidgen() { cat /proc/sys/kernel/random/uuid; }
`

/** The blocks of a page that call the API. */
function blocksOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block.includes('curl') && block.includes(HOST) ? [block] : [],
  )
}

t.test('the curl lines of the pages work', { skip }, async (t) => {
  const { app, signUp } = await createTestApp(t, { APP_FILES__DIRECTORY: join(t.testdirName, 'files') })
  const url = `http://127.0.0.1:${await listen(app)}`
  const cwd = t.testdir({ 'report.pdf': BYTES, 'film.mp4': BYTES })
  const user = await signUp()
  const tenant = await createOrganization(app, user)
  const key = await tenant.createApiKey()
  const created = await app.inject({
    method: 'POST',
    url: '/api/v1/files',
    headers: user.headers,
    payload: { name: 'report.pdf' },
  })
  const upload = await createUpload(app, user, BYTES.length)
  const variables = {
    TOKEN: user.headers.authorization.replace('Bearer ', ''),
    FILE: String(created.json().id),
    ID: upload.split('/').at(-1) ?? '',
    ORGANIZATION: tenant.organization.id,
    ORG: tenant.organization.id,
    USER: user.user.id,
  }

  const pages = globSync('docs/**/*.md', { cwd: ROOT }).sort()
  const blocks = pages.flatMap((page) => blocksOf(page).map((block) => ({ page, block })))
  t.ok(blocks.length >= 6, `${blocks.length} blocks`)
  for (const { page, block } of blocks) {
    const calls = block.match(/^ *curl /gm)?.length
    const script = `${SHELL}${block.replaceAll(HOST, url).replaceAll('gwk_...', key.key)}`
    const shell = startProcess(t, 'sh', ['-eu', '-c', script], {
      cwd,
      env: { ...environment(), ...variables },
    })
    t.match(await shell.exited, { code: 0 }, `${page}: ${shell.stderr()}`)
    const statuses = shell.stdout().match(/^\d{3}$/gm) ?? []
    t.equal(statuses.length, calls, page)
    for (const status of statuses) t.match(status, /^2/, `${page}: ${shell.stdout()}`)
    const options = block.replace(/"[^"]*"|'[^']*'|\$\([^)]*\)/g, 'quoted').match(/(?<=\s)-[\w-]+/g) ?? []
    for (const option of options) t.ok(OLD_OPTIONS.has(option), `${page}: ${option}`)
  }
})
