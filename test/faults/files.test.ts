import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { removeObjectsJob } from '#services/storage/jobs.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'
import { keysOf } from '#test/support/files.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startInstance } from '#test/support/instances.ts'
import { startService, type TestService } from '#test/support/process.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(1_200_000)

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 3)
const FILES = '/api/v1/files'
const QUOTA = 3_000_000

/** Settings of instances that share a directory, where nobody removes objects meanwhile. */
const settings = (db: TestDatabase, directory: string, quota = '1GiB') => ({
  APP_DATABASE__URL: db.url,
  APP_FILES__DIRECTORY: directory,
  APP_FILES__QUOTA_PER_USER: quota,
  APP_RATE_LIMIT__ENABLED: 'false',
  APP_ROLE: 'web',
})

interface Client {
  readonly url: string
  readonly token: string
}

async function create({ url, token }: Client): Promise<string> {
  const made = await call(url + FILES, { method: 'POST', token, json: { name: 'a file' } })
  if (made.status !== 201) throw new Error(made.text)
  return JSON.parse(made.text).id
}

async function put({ url, token }: Client, id: string, content: Buffer): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const request = { method: 'PUT', headers, body: content, signal: AbortSignal.timeout(180_000) }
  const response = await fetch(`${url}${FILES}/${id}/content`, request)
  await response.arrayBuffer()
  return response.status
}

const digestOf = (content: Buffer) => createHash('sha256').update(content).digest('hex')

/** Each object has its row, each row its object, and the counts are their sums. */
async function isConsistent(t: Test, db: TestDatabase, directory: string): Promise<void> {
  const app = await startInstance(t, db, { APP_FILES__DIRECTORY: directory, APP_ROLE: 'web' })
  const run = { id: '', attempt: 1, signal: new AbortController().signal, complete: async () => undefined }
  // As if their time were over, and the hour after it.
  await db.query("UPDATE stored_objects SET expires_at = now() - interval '1 day' WHERE state = 'writing'")
  await removeObjectsJob.handler(app.ctx, {}, run)
  await db.query("UPDATE stored_objects SET expires_at = now() WHERE state = 'doomed'")
  await removeObjectsJob.handler(app.ctx, {}, run)
  const objects = await db.query<{ key: string }>('SELECT key FROM stored_objects ORDER BY key')
  t.same(
    await keysOf(app),
    objects.map(({ key }) => key),
    'no object is without a row, and no row without one',
  )
  const wrong = await db.query(
    `SELECT space_id, bytes FROM storage_usage u WHERE bytes <> (
       SELECT coalesce(sum(bytes), 0) FROM stored_objects o WHERE o.space_id = u.space_id)`,
  )
  t.same(wrong, [], 'the space is what the objects take')
  t.same(
    await db.query(
      'SELECT 1 FROM files f LEFT JOIN stored_objects o USING (key) WHERE f.key IS NOT NULL AND o.state IS DISTINCT FROM $1',
      ['kept'],
    ),
    [],
  )
}

t.test('killed while files come: what was acknowledged is there, and nothing else is left', async (t) => {
  const db = await createTestDatabase(t)
  const directory = t.testdir()
  const start = () => startService(t, settings(db, directory))
  let service: TestService = await start()
  const { token } = await signUpRemote(service.url)
  /** The last version of each file that was acknowledged. */
  const acknowledged = new Map<string, number>()
  let [killed, cut] = [false, 0]

  async function send(n: number): Promise<void> {
    const client = { url: service.url, token }
    try {
      const id = await create(client)
      for (let version = 0; !killed; version++) {
        const content = Buffer.alloc(200_000 + n, `${n} ${version} `)
        if ((await put(client, id, content)) !== 200) throw new Error('it was refused')
        acknowledged.set(id, version)
      }
    } catch {
      cut++
    }
  }

  for (let round = 0; round < ROUNDS; round++) {
    killed = false
    const before = acknowledged.size
    const sending = Array.from({ length: 4 }, (_, n) => send(n))
    // In the middle of whatever they do once some files are there.
    while (acknowledged.size < before + 3)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100))
    service.child.kill('SIGKILL')
    await service.exited
    killed = true
    await Promise.all(sending)
    service = await start()
    for (const [id, version] of acknowledged) {
      const read = await fetch(`${service.url}${FILES}/${id}/content`, {
        headers: { authorization: `Bearer ${token}` },
      })
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
  service.child.kill('SIGKILL')
  await service.exited
  await isConsistent(t, db, directory)
})

t.test('uploads to two instances at once never exceed a quota', async (t) => {
  const db = await createTestDatabase(t)
  const directory = t.testdir()
  const services = [
    await startService(t, settings(db, directory, `${QUOTA}B`)),
    await startService(t, settings(db, directory, `${QUOTA}B`)),
  ]
  const { id: user, token } = await signUpRemote(services[0]?.url ?? '')
  const content = Buffer.alloc(700_000, 'x')
  for (let round = 0; round < ROUNDS; round++) {
    const clients = Array.from({ length: 10 }, (_, n) => ({ url: services[n % 2]?.url ?? '', token }))
    const ids: string[] = []
    for (const client of clients) ids.push(await create(client))
    const statuses = await Promise.all(clients.map((client, n) => put(client, ids[n] ?? '', content)))
    const stored = statuses.filter((status) => status === 200).length
    t.ok(stored >= 1 && stored <= 4, `${stored} of 10 have room`)
    t.same([...new Set(statuses)].sort(), [200, 409])
    const usage = await call(`${clients[0]?.url}${FILES}/usage`, { token })
    t.same(JSON.parse(usage.text), { bytes: stored * content.length, max_bytes: QUOTA })
    await db.query('DELETE FROM files WHERE user_id = $1', [user])
    t.same(await db.query('SELECT bytes FROM storage_usage WHERE space_id = $1', [user]), [{ bytes: '0' }])
  }
  for (const { child } of services) child.kill('SIGKILL')
  await Promise.all(services.map(({ exited }) => exited))
  await isConsistent(t, db, directory)
})
