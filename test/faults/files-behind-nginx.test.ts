import { createHash, type Hash, randomFillSync } from 'node:crypto'
import t from 'tap'
import * as tus from 'tus-js-client'
import { amount } from '#test/support/amount.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startShippedNginx, WITHOUT_NGINX } from '#test/support/nginx.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { STORES, settingsOf } from './stores.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(3_600_000)

const SIZE = amount({ few: 200_000_000, many: 1024 ** 3, variable: 'FILE_BYTES' })
/** More than the sockets on the way hold, or a part has been sent before a signal could cut it. */
const PART = Math.max(Math.ceil(SIZE / 32), 16_000_000)

type Signal = 'SIGKILL' | 'SIGTERM'

/** Requests that an upload sends while an instance is away: it goes on at the other one. */
const MEANWHILE = 3

/** Ends one instance or the other while an upload runs, by each signal until that has cut a request. */
class Disturbance {
  readonly left: Signal[] = ['SIGKILL', 'SIGTERM']
  failures = 0
  /** Settles when the last replacement has. */
  ended: Promise<void> = Promise.resolve()
  readonly #replace: (turn: 0 | 1, signal: Signal) => Promise<void>
  #before: number | undefined
  #requests = 0

  constructor(replace: (turn: 0 | 1, signal: Signal) => Promise<void>) {
    this.#replace = replace
  }

  begin(): void {
    const [signal] = this.left
    if (signal === undefined || this.#before !== undefined) return
    const before = this.failures
    this.#before = before
    this.#requests = 0
    // By turns it could be, each time, the one that nginx does not ask.
    this.ended = this.#replace(Math.random() < 0.5 ? 0 : 1, signal).then(() => {
      if (this.failures > before) this.left.shift()
      this.#before = undefined
    })
  }

  /** Waits until there are two again, unless the upload was cut and goes on at the other. */
  async letGo(): Promise<void> {
    const isCut = this.#before !== undefined && this.failures > this.#before
    if (!isCut || this.#requests++ >= MEANWHILE) await this.ended
  }
}

/** Feeds a digest with the body of an answer. */
async function digestInto(hash: Hash, url: string, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(url, { headers })
  for await (const piece of response.body ?? []) hash.update(piece)
  return response
}

for (const { name, skip, start } of STORES) {
  const title = `a large file in the store ${name} through a kill and a stop, and all that is done with it`
  t.test(title, { skip: WITHOUT_NGINX || skip }, async (t) => {
    const db = await createTestDatabase(t)
    const store = await start(t)
    const files = store['APP_FILES__DIRECTORY']
    const env = {
      ...settingsOf(db, store),
      ...(files === undefined ? {} : { APP_FILES__ACCEL_PREFIX: '/stored-files/' }),
      APP_FILES__MAX_SIZE: '4GiB',
      APP_SERVER__DRAIN_DELAY: '0s',
      // Or the stop would wait for the part that is coming, which takes no time here.
      APP_SERVER__SHUTDOWN_TIMEOUT: '5ms',
      APP_SERVER__TRUSTED_PROXIES: '127.0.0.1',
    }
    const services: [TestService, TestService] = [await startService(t, env), await startService(t, env)]
    const { plain } = await startShippedNginx(
      t,
      [services[0].url, services[1].url],
      files === undefined ? {} : { files },
    )
    const { token } = await signUpRemote(plain)
    const authorization = `Bearer ${token}`
    const bytes = randomFillSync(Buffer.alloc(SIZE))
    const sha256 = createHash('sha256').update(bytes).digest('hex')

    /** Ends an instance, and starts another one at its port. */
    async function replace(turn: 0 | 1, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
      const { child, exited, url } = services[turn]
      child.kill(signal)
      await exited
      services[turn] = await startService(t, { ...env, APP_SERVER__PORT: new URL(url).port })
    }

    const disturbance = new Disturbance(replace)
    const upload = await new Promise<string>((resolve, reject) => {
      const sending = new tus.Upload(bytes, {
        endpoint: `${plain}/api/v1/uploads`,
        headers: { authorization },
        metadata: { filename: 'film.bin' },
        chunkSize: PART,
        retryDelays: Array(300).fill(100),
        onBeforeRequest: () => disturbance.letGo(),
        onProgress: (sent) => void (sent > SIZE / 8 && disturbance.begin()),
        onShouldRetry(error) {
          disturbance.failures++
          const status = error.originalResponse?.getStatus() ?? 0
          return status === 0 || status >= 500 || status === 409
        },
        onSuccess: () => resolve(sending.url ?? ''),
        onError: reject,
      })
      sending.start()
    })
    await disturbance.ended
    t.notOk(disturbance.left.includes('SIGKILL'), 'a kill has cut a request')
    // An upload to a bucket may be over before a stop has cut a part; uploads.test.ts stops instances of both stores.
    if (name === 'local') t.same(disturbance.left, [], 'and so has a stop')
    t.comment(`${SIZE} bytes in parts of ${PART}, ${disturbance.failures} requests failed`)
    const path = new URL(upload).pathname.replace('/uploads/', '/files/')
    const about = async () => JSON.parse((await call(plain + path, { token })).text)
    t.match(await about(), { status: 'ready', size: SIZE, sha256, name: 'film.bin' })

    await t.test('comes down by ranges', async (t) => {
      const hash = createHash('sha256')
      const etag = String(
        (await fetch(`${plain}${path}/content`, { method: 'HEAD', headers: { authorization } })).headers.get(
          'etag',
        ),
      )
      for (let start = 0; start < SIZE; start += PART) {
        const range = `bytes=${start}-${start + PART - 1}`
        const headers = { authorization, range, 'if-range': etag }
        t.equal((await digestInto(hash, `${plain}${path}/content`, headers)).status, 206)
      }
      t.equal(hash.digest('hex'), sha256)
    })

    await t.test('is shared by a link', async (t) => {
      const made = await call(`${plain}${path}/links`, { method: 'POST', token, json: {} })
      const { pathname, search } = new URL(JSON.parse(made.text).url)
      const hash = createHash('sha256')
      t.equal((await digestInto(hash, plain + pathname + search)).status, 200)
      t.equal(hash.digest('hex'), sha256)
    })

    await t.test('is nowhere for somebody else', async (t) => {
      const { token: other } = await signUpRemote(plain)
      for (const below of ['', '/content'])
        t.equal((await call(plain + path + below, { token: other })).status, 404)
      t.equal((await call(`${plain}${path}/links`, { method: 'POST', token: other, json: {} })).status, 404)
      t.equal((await call(plain + path, { method: 'DELETE', token: other })).status, 404)
    })

    await t.test('is deleted, restored, and deleted for good', async (t) => {
      const content = () => call(`${plain}${path}/content`, { method: 'HEAD', token })
      t.equal((await call(plain + path, { method: 'DELETE', token })).status, 204)
      t.equal((await content()).status, 404)
      t.equal((await call(`${plain}${path}/restore`, { method: 'POST', token })).status, 200)
      t.equal((await content()).status, 200)
      t.equal((await call(`${plain}${path}?permanently=true`, { method: 'DELETE', token })).status, 204)
      t.equal((await content()).status, 404)
      const usage = await call(`${plain}/api/v1/files/usage`, { token })
      t.equal(JSON.parse(usage.text).bytes, 0)
    })
  })
}
