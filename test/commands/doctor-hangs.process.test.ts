import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { Result } from '#commands/doctor/examine.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { environment, startProcess } from '#test/support/process.ts'

// A process of its own, because what hangs must not keep the command: it ends before the server lets go.
t.setTimeout(120_000)

t.test('servers that take connections and say nothing', async (t) => {
  const { url: database } = await createTestDatabase(t)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const host = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const env = environment({
    APP_ENVIRONMENT: 'test',
    APP_SERVER__PORT: '0',
    APP_DATABASE__URL: database,
    APP_REDIS__URL: `redis://${host}`,
    APP_BROKER__KIND: 'nats',
    APP_BROKER__URLS: `nats://${host}`,
    APP_EMAIL__SMTP_URL: `smtp://${host}`,
    APP_AUTH__BREACH_CHECK__URL: `http://${host}`,
    APP_TRACING__ENDPOINT: `http://${host}`,
    APP_ERRORS__DSN: `http://key@${host}/1`,
    APP_FILES__STORE: 's3',
    APP_FILES__S3__BUCKET: 'bucket',
    APP_FILES__S3__ENDPOINT: `http://${host}`,
    APP_FILES__S3__ACCESS_KEY_ID: 'id',
    APP_FILES__S3__SECRET_ACCESS_KEY: 'key',
    APP_FILES__SCAN__ADDRESS: `tcp://${host}`,
  })
  const file = join(import.meta.dirname, '../../commands/doctor.ts')
  const doctor = startProcess(t, process.execPath, [file, '--json'], { env })
  t.same(await doctor.exited, { code: 1, signal: null })
  const { results }: { results: Result[] } = JSON.parse(doctor.stdout())
  const problems = results.flatMap(({ check, findings }) =>
    findings.some(({ severity }) => severity === 'problem') ? [check] : [],
  )
  t.strictSame(problems.toSorted(), [
    ...['Redis', 'breach check', 'error reports', 'file scan', 'files', 'mail', 'message broker', 'traces'],
  ])
})
