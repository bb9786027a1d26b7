import cluster from 'node:cluster'
import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import type { Config } from '#config/schema/schema.ts'
import { LogDestination } from '#lib/log/destination.ts'
import packageJson from '#package.json' with { type: 'json' }
import { isPrimary, log, type Service, startService } from '#process/service.ts'
import { endService } from '#process/shutdown.ts'
import { PrimaryLink } from '#process/worker/primary-link.ts'
import { change } from '#test/support/change.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { freePort } from '#test/support/free-port.ts'
import { testConfig } from '#test/support/helper.ts'
import { startOtlpReceiver } from '#test/support/otlp-receiver.ts'
import { end } from './channel.ts'
import { forked, Member } from './member.ts'

const db = await createTestDatabase(t)
const sources = new Map([['server.port', 'a file']])
const env = {
  APP_SERVER__PORT: '0',
  APP_SERVER__HOST: '127.0.0.1',
  APP_SERVER__WORKERS: '1',
  APP_LOG__LEVEL: 'info',
}
const single = testConfig(db.url, env)
const several = testConfig(db.url, { ...env, APP_SERVER__WORKERS: '2' })

/** A service that was not started, its log, and whether that is shared with other processes. */
function rig(t: Test, primary?: PrimaryLink) {
  const lines: Record<string, unknown>[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const text = chunk.toString().trimEnd().split('\n')
      lines.push(...text.map((line) => JSON.parse(line)))
      done()
    },
  })
  const logDestination = new LogDestination(stream)
  let shared = 0
  change(t, logDestination, 'share', () => shared++)
  const service: Service = { logDestination, primary }
  const logged = async (msg: RegExp) => {
    await logDestination.flush(60_000)
    return lines.find((line) => msg.test(String(line['msg'])))
  }
  return { service, logged, shared: () => shared }
}

/** Returns what people are told while something runs. */
async function told(work: () => unknown): Promise<string> {
  const { write } = process.stderr
  let said = ''
  process.stderr.write = (text: string | Uint8Array) => {
    said += String(text)
    return true
  }
  try {
    await work()
  } finally {
    process.stderr.write = write
  }
  return said
}

t.test('who leads others', async (t) => {
  const { service } = rig(t)
  const worker = { ...service, primary: new PrimaryLink(end().worker) }
  t.strictSame(
    [isPrimary(service, single), isPrimary(service, several), isPrimary(worker, several)],
    [false, true, false],
  )
})

t.test('one process serves by itself, with its traces, and ends whole', async (t) => {
  const receiver = await startOtlpReceiver(t)
  const adminPort = await freePort()
  const config = testConfig(db.url, {
    ...env,
    APP_ADMIN__ADDRESS: `127.0.0.1:${adminPort}`,
    APP_SERVER__HOST: '0.0.0.0',
    APP_TRACING__ENDPOINT: receiver.url,
    APP_TRACING__SAMPLE_RATIO: '1',
  })
  const { service, logged, shared } = rig(t)
  const said = await told(() => startService(service, { config, sources }))
  t.match(said, 'Others can reach this service')
  const address = service.app?.server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  t.equal((await fetch(`http://127.0.0.1:${port}/api/v1/users`)).status, 401)
  t.equal((await fetch(`http://127.0.0.1:${adminPort}/live`)).status, 200)
  const line = await logged(/^Server listening at/)
  t.strictSame([line?.['pid'], shared(), service.abandonDatabase], [undefined, 0, undefined])
  t.match(await told(() => log(service, 'info', { a: 1 }, 'said in the log')), /^$/)
  t.match(await logged(/said in the log/), { a: 1, level: 'info' })
  await endService(service)
  await t.rejects(fetch(`http://127.0.0.1:${port}/live`))
  t.match(receiver.spans[0]?.resource, { 'service.version': packageJson.version })
})

t.test('before there is a log, people are told', async (t) => {
  const { service } = rig(t)
  t.equal(await told(() => log(service, 'info', {}, 'shutting down')), 'shutting down\n')
  const err = new Error('it broke')
  t.match(await told(() => log(service, 'fatal', { err }, 'no start')), /^no start: .*it broke/)
})

t.test('a primary starts workers, and nothing that serves', async (t) => {
  const { service, logged, shared } = rig(t)
  change(t, cluster, 'fork', () => new Member().worker)
  forked.length = 0
  const started = startService(service, { config: several, sources })
  await eventually(async () => forked.length === 1)
  forked[0]?.start()
  await eventually(async () => forked.length === 2)
  forked[1]?.start()
  await started
  t.strictSame([service.app, service.tracing, shared()], [undefined, undefined, 1])
  t.match(forked[0]?.told('serve')[0], { first: true, sources: [...sources] })
  log(service, 'info', {}, 'said in the log')
  t.match(await logged(/said in the log/), { pid: process.pid })
  service.group?.stop('SIGTERM')
  for (const member of forked) member.exit(0)
  await endService(service)
  t.equal(forked.length, 2)
})

/** A worker without a process; its primary says what it is to serve. */
function worker(t: Test, config: Config, first: boolean) {
  const { channel, worker } = end()
  const all = rig(t, new PrimaryLink(worker))
  channel.emit('message', { type: 'serve', config, sources: [...sources], first })
  const start = () => startService(all.service, { config: several, sources: new Map() })
  return { ...all, channel, worker, start, sent: () => channel.sent.map(({ type }) => type) }
}

t.test('a worker serves what its primary says, and tells it when it listens and is ready', async (t) => {
  for (const first of [true, false]) {
    await t.test(first ? 'the first says where' : 'the others do not', async (t) => {
      const exposed = { ...single, server: { ...single.server, host: '0.0.0.0' } }
      const { service, start, sent, logged, shared } = worker(t, exposed, first)
      const said = await told(start)
      t.equal(said.includes('Others can reach'), first)
      const line = await logged(first ? /^Server listening at http/ : /^Worker listening$/)
      t.equal(line?.['pid'], process.pid)
      t.equal(shared(), 1)
      await eventually(async () => sent().includes('ready'))
      t.strictSame(sent(), ['online', 'listening', 'ready'])
      service.app?.changeLogLevels({ level: 'warn' })
      t.equal(sent().at(-1), 'log_levels', 'its levels are those of all')
      await endService(service)
      t.equal(sent().at(-1), 'collected', 'its last metrics')
    })
  }
})

t.test('a worker whose primary is gone before it listens says nothing', async (t) => {
  const { service, start, worker: own, sent } = worker(t, single, true)
  own.emit('disconnect')
  t.equal(await told(start), '')
  t.strictSame(sent(), ['online'])
  await endService(service)
})
