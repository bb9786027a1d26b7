import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { amount } from '#test/support/amount.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { isConsistent } from './consistent.ts'
import { STORES, settingsOf } from './stores.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(7_200_000)

const ROUNDS = amount({ few: 3, many: 200, variable: 'FAULT_ROUNDS' })
const RACES = amount({ few: 3, many: 1000, variable: 'FAULT_ROUNDS' })
const FILES = '/api/v1/files'

/** Bytes that there may be, and that each of so many uploads at once has: eight have room. */
const [QUOTA, EACH, AT_ONCE] = [100_000, 12_000, 50]

interface Client {
  readonly url: string
  readonly token: string
}

async function create({ url, token }: Client): Promise<string> {
  const made = await call(url + FILES, { method: 'POST', token, json: { name: 'a file' } })
  if (made.status !== 201) throw new Error(made.text)
  return JSON.parse(made.text).id
}

/** Creates a file with its content, in one request; returns its id and the answer's status. */
async function post({ url, token }: Client, content: Buffer): Promise<{ id: string; status: number }> {
  const headers = { authorization: `Bearer ${token}` }
  const request = { method: 'POST', headers, body: content, signal: AbortSignal.timeout(180_000) }
  const response = await fetch(`${url}${FILES}/content?name=a`, request)
  const { id = '' }: { id?: string } = JSON.parse(await response.text())
  return { id, status: response.status }
}

async function put({ url, token }: Client, id: string, content: Buffer): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const request = { method: 'PUT', headers, body: content, signal: AbortSignal.timeout(180_000) }
  const response = await fetch(`${url}${FILES}/${id}/content`, request)
  await response.arrayBuffer()
  return response.status
}

const digestOf = (content: Buffer) => createHash('sha256').update(content).digest('hex')

for (const { name, skip, start: startStore } of STORES) {
  const title = `killed while files come to ${name}: what was acknowledged is there, and nothing else is left`
  t.test(title, { skip }, async (t) => {
    const db = await createTestDatabase(t)
    const store = await startStore(t)
    const start = () => startService(t, settingsOf(db, store))
    let service: TestService = await start()
    const { token } = await signUpRemote(service.url)
    /** The last version of each file that was acknowledged. */
    const acknowledged = new Map<string, number>()
    let [killed, cut] = [false, 0]
    const contentOf = (n: number, version: number) => Buffer.alloc(200_000 + n, `${n} ${version} `)

    async function replace(client: Client, n: number): Promise<void> {
      const id = await create(client)
      for (let version = 0; !killed; version++) {
        if ((await put(client, id, contentOf(n, version))) !== 200) throw new Error('it was refused')
        acknowledged.set(id, version)
      }
    }

    async function createWhole(client: Client, n: number): Promise<void> {
      for (let version = 0; !killed; version++) {
        const { id, status } = await post(client, contentOf(n, version))
        if (status !== 201) throw new Error('it was refused')
        acknowledged.set(id, version)
      }
    }

    async function send(n: number): Promise<void> {
      const work = n % 2 === 0 ? replace : createWhole
      await work({ url: service.url, token }, n).catch(() => cut++)
    }

    for (let round = 0; round < ROUNDS; round++) {
      killed = false
      const before = new Map(acknowledged)
      const sending = Array.from({ length: 4 }, (_, n) => send(n))
      // In the middle of whatever they do once some files are there.
      while (acknowledged.size < before.size + 3) await sleep(Math.random() * 100)
      service.child.kill('SIGKILL')
      await service.exited
      killed = true
      await Promise.all(sending)
      service = await start()
      for (const [id, version] of acknowledged) {
        // Those of earlier rounds were seen, and nothing was done to them since.
        if (before.get(id) === version) continue
        const headers = { authorization: `Bearer ${token}` }
        const read = await fetch(`${service.url}${FILES}/${id}/content`, { headers })
        const content = Buffer.from(await read.arrayBuffer())
        const about = await call(`${service.url}${FILES}/${id}`, { token })
        const { sha256 } = JSON.parse(about.text)
        t.equal(digestOf(content), sha256, 'a file is what its row says')
        // A later one may have been settled without its answer having arrived.
        const found = Number(content.toString('latin1', 0, 20).split(' ')[1])
        t.ok(found >= version, `version ${found} of ${version} that was acknowledged`)
      }
    }
    t.ok(cut > 0, 'some uploads were cut')
    t.comment(`${ROUNDS} kills, ${cut} requests cut, ${acknowledged.size} files`)
    service.child.kill('SIGKILL')
    await service.exited
    await isConsistent(t, db, store)
  })
}

t.test('uploads to two instances at once never exceed a quota', async (t) => {
  const db = await createTestDatabase(t)
  const store = { APP_FILES__DIRECTORY: t.testdir({}), APP_FILES__QUOTA_PER_USER: `${QUOTA}B` }
  const services = [
    await startService(t, settingsOf(db, store)),
    await startService(t, settingsOf(db, store)),
  ]
  const { id: user, token } = await signUpRemote(services[0]?.url ?? '')
  const clients = Array.from({ length: AT_ONCE }, (_, n) => ({ url: services[n % 2]?.url ?? '', token }))
  const content = Buffer.alloc(EACH, 'x')
  for (let round = 0; round < RACES; round++) {
    const ids = await Promise.all(clients.slice(0, AT_ONCE / 2).map(create))
    // Half of them in two requests, half in one.
    const statuses = await Promise.all(
      clients.map(async (client, n) => {
        const id = ids[n]
        return id === undefined ? (await post(client, content)).status : put(client, id, content)
      }),
    )
    const stored = statuses.filter((status) => status < 300).length
    t.ok(stored >= 1 && stored <= QUOTA / EACH, `${stored} of ${AT_ONCE} have room`)
    t.same(
      statuses.filter((status) => status >= 300 && status !== 409),
      [],
      'and no others',
    )
    const usage = await call(`${clients[0]?.url}${FILES}/usage`, { token })
    t.same(JSON.parse(usage.text), { bytes: stored * EACH, max_bytes: QUOTA })
    await db.query('DELETE FROM files WHERE user_id = $1', [user])
    t.same(await db.query('SELECT bytes FROM storage_usage WHERE space_id = $1', [user]), [])
  }
  for (const { child } of services) child.kill('SIGKILL')
  await Promise.all(services.map(({ exited }) => exited))
  await isConsistent(t, db, store)
})
