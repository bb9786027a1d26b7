import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { request } from 'node:http'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { named, TUS } from '#test/support/uploads.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(1_200_000)

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 3)
const SIZE = 3_000_000
const SLICE = 20_000

/** An upload, and how much of it was acknowledged. */
interface Sending {
  readonly path: string
  readonly bytes: Buffer
  acknowledged: number
}

t.test('killed while uploads come: no byte is lost that was acknowledged', async (t) => {
  const db = await createTestDatabase(t)
  const directory = t.testdir({})
  const start = () =>
    startService(t, {
      APP_DATABASE__URL: db.url,
      APP_FILES__DIRECTORY: directory,
      APP_RATE_LIMIT__ENABLED: 'false',
      APP_ROLE: 'web',
    })
  let service: TestService = await start()
  const { token } = await signUpRemote(service.url)
  const headers = { ...TUS, authorization: `Bearer ${token}` }

  const create = async (): Promise<Sending> => {
    const said = { ...headers, ...named('a file'), 'upload-length': String(SIZE) }
    const made = await fetch(`${service.url}/api/v1/uploads`, { method: 'POST', headers: said })
    return { path: String(made.headers.get('location')), bytes: randomBytes(SIZE), acknowledged: 0 }
  }
  const head = async ({ path }: Sending): Promise<number> => {
    const { status, headers: answer } = await fetch(service.url + path, { method: 'HEAD', headers })
    t.equal(status, 200)
    return Number(answer.get('upload-offset'))
  }
  /** Sends the rest, a slice at a time; resolves with what was answered, or when the connection is broken. */
  const send = ({ path, bytes }: Sending, offset: number): Promise<number | undefined> =>
    new Promise((resolve) => {
      const own = { 'upload-offset': offset, 'content-type': 'application/offset+octet-stream' }
      const length = { 'content-length': bytes.length - offset }
      const sent = request(service.url + path, {
        method: 'PATCH',
        headers: { ...headers, ...own, ...length },
      })
      sent.on('response', (response) => resolve(response.resume().statusCode))
      sent.on('close', () => resolve(undefined))
      sent.on('error', () => undefined)
      const slice = (at: number) => {
        if (sent.destroyed) return
        if (at >= bytes.length) return void sent.end()
        sent.write(bytes.subarray(at, at + SLICE))
        setTimeout(slice, 20, at + SLICE)
      }
      slice(offset)
    })

  const sendings = [await create(), await create(), await create()]
  for (let round = 0; round < ROUNDS; round++) {
    const broken = sendings.map(async (sending) => send(sending, await head(sending)))
    const progress = async () => {
      for (const sending of sendings) {
        const { text } = await call(service.url + sending.path, { token })
        sending.acknowledged = JSON.parse(text).offset
      }
      return sendings.some(
        ({ acknowledged, bytes }) => acknowledged > (bytes.length * (round + 1)) / (ROUNDS + 2),
      )
    }
    await eventually(progress)
    service.child.kill('SIGKILL')
    await service.exited
    await Promise.all(broken)
    service = await start()
    for (const sending of sendings) {
      const offset = await head(sending)
      t.ok(offset >= sending.acknowledged, `${offset} of ${sending.acknowledged} acknowledged bytes`)
    }
  }
  for (const sending of sendings) {
    const offset = await head(sending)
    if (offset < SIZE) t.equal(await send(sending, offset), 204)
    const { text } = await call(service.url + sending.path.replace('/uploads/', '/files/'), { token })
    const sha256 = createHash('sha256').update(sending.bytes).digest('hex')
    t.match(JSON.parse(text), { status: 'ready', sha256 })
  }
  const unfinished = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.part'))
  t.same(unfinished, [], 'nothing is left unfinished')
})
