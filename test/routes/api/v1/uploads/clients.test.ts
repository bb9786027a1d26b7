import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import * as tus from 'tus-js-client'
import { amount } from '#test/support/amount.ts'
import { startCuttingProxy } from '#test/support/cutting-proxy.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { listen } from '#test/support/raw-http.ts'

const run = promisify(execFile)

const SIZE = amount({ few: 3_000_000, many: 20_000_000 })
const UPLOADS = amount({ few: 4, many: 500, variable: 'TUS_UPLOADS' })

/** Bytes of a request, and what a cut may cost. */
const PART = 700_000

const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

t.test('clients of tus, two instances, and a network that breaks', async (t) => {
  t.setTimeout(3_600_000)
  const settings = {
    APP_FILES__DIRECTORY: t.testdir({ files: {} }),
    APP_FILES__QUOTA_PER_USER: '100GiB',
    APP_RATE_LIMIT__ENABLED: 'false',
    APP_ROLE: 'web',
  }
  const { app, db, request, signUp } = await createTestApp(t, settings)
  const other = await startInstance(t, db, settings)
  const ports = [await listen(app), await listen(other)]
  const as = await signUp()
  const { authorization } = as.headers
  const aboutFile = async (upload: string) =>
    (await request({ url: new URL(upload).pathname.replace('/uploads/', '/files/'), as })).json()

  await t.test('tus-js-client', async (t) => {
    let cuts = 0
    for (let n = 0; n < UPLOADS; n++) {
      const proxy = await startCuttingProxy(t, { ports, within: SIZE })
      const bytes = randomBytes(SIZE + n)
      const url = await new Promise<string>((resolve, reject) => {
        const upload = new tus.Upload(bytes, {
          endpoint: `${proxy.url}/api/v1/uploads`,
          headers: { authorization },
          metadata: { filename: `file ${n}` },
          retryDelays: Array(100).fill(0),
          // In one request, in parts, and with the creation.
          chunkSize: n % 3 === 0 ? Number.POSITIVE_INFINITY : PART,
          uploadDataDuringCreation: n % 3 === 2,
          onSuccess: () => resolve(upload.url ?? ''),
          onError: reject,
        })
        upload.start()
      })
      t.match(await aboutFile(url), { status: 'ready', size: bytes.length, sha256: digestOf(bytes) })
      // What was on its way in one request is lost with it.
      const most = n % 3 === 0 ? Number.POSITIVE_INFINITY : bytes.length + (proxy.cuts + 1) * PART
      t.ok(proxy.sent <= most, `${proxy.cuts} cuts cost a part at most`)
      cuts += proxy.cuts
    }
    t.comment(`${UPLOADS} uploads, ${cuts} cuts`)
  })

  const python = await run('python3', ['-c', 'import tusclient']).catch(() => undefined)
  const skip = python === undefined && 'needs python3 with the package tuspy'
  await t.test('tuspy', { skip }, async (t) => {
    const proxy = await startCuttingProxy(t, { ports, within: SIZE })
    const bytes = randomBytes(SIZE)
    const file = join(t.testdir(), 'file')
    await writeFile(file, bytes)
    const script = join(import.meta.dirname, 'upload.py')
    const { stdout } = await run('python3', [script, `${proxy.url}/api/v1/uploads`, authorization, file])
    t.match(await aboutFile(stdout.trim()), { name: 'a file', sha256: digestOf(bytes) })
  })
})
