import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createTestApp } from '#test/support/helper.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Files that all of it stands on, and the steps that every request passes. */
const BELOW = /^(?:app\.ts|config\/|lib\/|node_modules\/|plugins\/(?:http|infrastructure)\/|test\/)/

/** A list of the record, and what it says besides up to the next one. */
interface Way {
  readonly files: string[]
  /** Files and folders that the text below the list names. */
  readonly below: string[]
}

/** Returns the part of the record that begins with a text. */
function wayOf(beginning: string): Way {
  const record = readFileSync(join(ROOT, 'docs/architecture/finding-your-way.md'), 'utf8')
  const begin = record.indexOf(beginning)
  const next = record.indexOf('\nA login', begin + 1)
  const text = record.slice(begin, next < 0 ? undefined : next)
  const files = [...text.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file = '']) => file)
  const below = [...text.matchAll(/^(?!\d+\.).*$/gm)].flatMap(([line]) =>
    [...line.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
  )
  return { files, below }
}

/** Most rounds in which a file that is not named may run beside a request, as a busy process's heartbeats do. */
const MAX_ROUNDS = 200

/** Files that ran in each round though the record does not name them, and those that it names and that did not. */
interface Difference {
  unnamed: string[]
  missing: string[]
}

/** Runs `work` until no file runs in each round that the record does not name, and returns what is left. */
async function compare(t: Test, { files, below }: Way, work: () => Promise<void>): Promise<Difference> {
  const isNamed = (file: string) =>
    BELOW.test(file) || files.includes(file) || below.some((path) => file.startsWith(path))
  const session = new Session()
  session.connect()
  t.teardown(() => session.disconnect())
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  let unnamed: string[] | undefined
  const missing = new Set(files)
  for (let round = 0; round < MAX_ROUNDS && unnamed?.length !== 0; round++) {
    await session.post('Profiler.takePreciseCoverage')
    await work()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    const ran = result
      .filter(({ url }) => url.startsWith('file:'))
      .filter(({ functions }) => functions.some(({ ranges }) => (ranges[0]?.count ?? 0) > 0))
      .map(({ url }) => relative(ROOT, fileURLToPath(url)))
    unnamed = ran.filter((file) => !isNamed(file) && (unnamed?.includes(file) ?? true))
    for (const file of ran) missing.delete(file)
  }
  await session.post('Profiler.stopPreciseCoverage')
  return { unnamed: unnamed ?? [], missing: [...missing] }
}

t.test('the files on the way of two requests are those of the record, and few', async (t) => {
  const { request, signUp } = await createTestApp(t, { APP_ROLE: 'web' })
  const as = await signUp()
  await request({ url: '/api/v1/users/me', as })
  const reading = wayOf('`GET /api/v1/users/me`')
  const difference = await compare(t, reading, async () => {
    t.equal((await request({ url: '/api/v1/users/me', as })).statusCode, 200)
  })
  t.same(difference, { unnamed: [], missing: [] })
  t.ok(reading.files.length > 0 && reading.files.length <= 7)
  // Else the list would be short because the text below it is long.
  t.notOk(reading.below.some((path) => /^(?:services|plugins\/api)\//.test(path)))

  const login = wayOf('A login is')
  let devices = 0
  const ofLogin = await compare(t, login, async () => {
    const headers = { 'user-agent': `device ${++devices}` }
    const payload = { email: as.user.email, password: as.password }
    const response = await request({ method: 'POST', url: '/api/v1/auth/login', payload, headers })
    t.equal(response.statusCode, 200)
  })
  t.same(ofLogin, { unnamed: [], missing: [] })
  t.ok(login.files.length > 0 && login.files.length <= 12)
})
