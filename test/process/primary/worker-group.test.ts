import cluster from 'node:cluster'
import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { Config } from '#config/schema/schema.ts'
import { WorkerGroup } from '#process/primary/worker-group.ts'
import { eventually } from '#test/support/eventually.ts'
import { testConfig } from '#test/support/helper.ts'
import { forked, Member } from '../member.ts'

const sources = new Map([['server.port', 'default']])

function config(count: number, env: Record<string, string> = {}): Config {
  return testConfig('postgres://a:b@127.0.0.1:1/c', {
    APP_SERVER__WORKERS: `${count}`,
    APP_SERVER__PORT: '0',
    ...env,
  })
}

/** A group whose workers have no processes, and what it logs. */
function rig(t: Test, count = 2, env: Record<string, string> = {}) {
  const { fork } = cluster
  cluster.fork = () => new Member().worker
  t.teardown(() => {
    cluster.fork = fork
  })
  forked.length = 0
  const lines: { msg: string; level: number }[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const group = new WorkerGroup({ config: config(count, env), sources }, log)
  const said = () => lines.splice(0).map(({ msg, level }) => `${level} ${msg}`)
  const wait = (number: number) => eventually(async () => forked.length >= number)
  const at = (index: number): Member => {
    const member = forked[index]
    if (member === undefined) throw new Error(`only ${forked.length} were forked`)
    return member
  }
  /** Starts it with all its workers. */
  const start = async () => {
    const started = group.start()
    at(0).start()
    await wait(count)
    for (const member of forked.slice(1)) member.start()
    await started
  }
  return { group, log, said, wait, at, start }
}

t.test('one worker goes ahead, and the others share its port', async (t) => {
  const { group, at, wait, start } = rig(t, 3)
  const started = start()
  await turn()
  t.equal(forked.length, 3)
  await started
  t.strictSame(
    forked.map(({ port }) => port),
    [0, 0, 0],
    'the kernel shares a 0 while one of them lives',
  )
  t.strictSame(
    forked.map((member) => member.told('serve').map((message) => message.type === 'serve' && message.first)),
    [[true], [false], [false]],
  )
  group.stop('SIGINT')
  for (const member of forked) t.strictSame(member.told('stop'), [{ type: 'stop', signal: 'SIGINT' }])
  at(0).exit(0)
  at(1).exit(0)
  const ended = group.end()
  at(2).exit(0)
  await ended
  await wait(3)
  t.equal(forked.length, 3, 'none comes after it')
})

t.test('a worker that does not end well makes the end fail', async (t) => {
  const { group, at, start } = rig(t)
  await start()
  group.stop('SIGTERM')
  at(0).exit(0)
  at(1).exit(1)
  await t.rejects(group.end(), { message: 'not every worker ended well' })
})

t.test('a first worker that dies fails the start, and no others are tried', async (t) => {
  const { group, at } = rig(t, 3)
  const started = group.start()
  at(0).say({ type: 'online' })
  at(0).exit(1)
  await t.rejects(started, { name: 'WorkerFailed' })
  t.equal(forked.length, 1)
  await t.rejects(group.end())
})

t.test('a group that is told to end while it starts opens no others', async (t) => {
  const { group, at } = rig(t, 3)
  const started = group.start()
  group.stop('SIGTERM')
  at(0).start()
  await started
  t.equal(forked.length, 1)
})

t.test('a worker that dies is replaced, and the log says how it ended', async (t) => {
  const { group, at, said, wait, start } = rig(t)
  await start()
  at(0).exit(0)
  await wait(3)
  at(1).exit(null, 'SIGKILL')
  await wait(4)
  const message = 'a worker ended; another takes its place'
  t.strictSame(said(), [`40 ${message}`, `50 ${message}`])
  at(2).start(5000)
  t.equal(at(2).port, 0)
  await turn()
  t.strictSame(at(2).channel.killed, ['SIGKILL'], 'one that got another port has nobody to share it with')
  at(3).start()
  await turn()
  t.strictSame([at(3).port, at(3).channel.killed], [0, []])
  at(2).exit(null, 'SIGKILL')
  await wait(5)
  at(4).start()
  t.equal(at(4).port, 4000)
  group.stop('SIGTERM')
})

t.test('when all have died, the next one asks for their port', async (t) => {
  const { group, at, wait, start } = rig(t)
  await start()
  at(0).exit(1)
  at(1).exit(1)
  await wait(3)
  at(2).start()
  t.equal(at(2).port, 4000)
  group.stop('SIGTERM')
})

t.test('a port that is set is that of all', async (t) => {
  const { group, start } = rig(t, 2, { APP_SERVER__PORT: '8080' })
  await start()
  t.strictSame(
    forked.map(({ port }) => port),
    [8080, 8080],
  )
  group.stop('SIGTERM')
})

t.test('metrics are asked of all, and one that is gone counts no more', async (t) => {
  const { group, at, start } = rig(t)
  await start()
  const gauge = (value: number) => [
    { name: 'open', help: 'x', type: 'gauge', aggregator: 'sum' as const, values: [{ value, labels: {} }] },
  ]
  const answer = (member: Member, value: number) => {
    const asked = member.told('collect').at(-1)
    const id = asked?.type === 'collect' ? asked.id : null
    member.say({ type: 'collected', id, metrics: gauge(value) })
  }
  const reading = group.read()
  answer(at(0), 3)
  answer(at(1), 4)
  t.match(await reading, /^open 7$/m)
  group.stop('SIGTERM')
  at(1).exit(0)
  await turn()
  const again = group.read()
  answer(at(0), 5)
  t.match(await again, /^open 5$/m)
})

t.test('levels of the log are set for all, and for those that come later', async (t) => {
  const { group, log, at, said, wait, start } = rig(t)
  await start()
  at(0).say({ type: 'log_levels', levels: { level: 'error' } })
  t.equal(log.level, 'error')
  for (const member of forked)
    t.strictSame(member.told('log_levels'), [{ type: 'log_levels', levels: { level: 'error' } }])
  at(1).exit(1)
  await wait(3)
  at(2).start()
  t.strictSame(at(2).told('log_levels'), [{ type: 'log_levels', levels: { level: 'error' } }])
  group.toggleLogLevels()
  t.equal(log.level, config(2).log.level)
  t.strictSame(at(2).told('log_levels').at(-1), { type: 'log_levels', levels: null })
  log.level = 'info'
  said()
  group.toggleLogLevels()
  t.equal(log.level, 'debug')
  t.strictSame(said(), ['40 log levels changed for all workers'])
  group.stuck(Object.create(null, { pid: { value: 7 } }))
  t.strictSame(said(), ['50 a worker does not answer any more and is killed'])
  group.stop('SIGTERM')
})

t.test('a rolling restart replaces one after the other, with the new configuration', async (t) => {
  const { group, at, said, wait, start } = rig(t)
  await start()
  const { url: _url, ...database } = config(3).database
  group.restart({ config: { ...config(3), database }, sources })
  await wait(3)
  t.strictSame(at(0).told('retire'), [], 'not before a new one is ready')
  at(2).start()
  await eventually(async () => at(0).told('retire').length === 1)
  t.equal(forked.length, 3, 'nor the next before it has ended')
  const [served] = at(2).told('serve')
  t.equal(
    served?.type === 'serve' && served.config.database.url,
    config(2).database.url,
    'the server that is used',
  )
  at(0).exit(0)
  await wait(4)
  at(3).start()
  await eventually(async () => at(1).told('retire').length === 1)
  at(1).exit(1)
  await wait(5)
  at(4).start()
  await eventually(async () => said().join().includes('30 restarted the workers') || false)
  group.restart({ config: config(1), sources })
  await wait(6)
  at(5).start()
  for (const index of [2, 3, 4]) {
    await eventually(async () => at(index).told('retire').length === 1)
    at(index).exit(0)
  }
  await eventually(async () => said().includes('30 restarted the workers'))
  group.stop('SIGTERM')
  at(5).exit(0)
  await group.end()
  t.equal(forked.length, 6)
})

t.test('a restart whose worker does not get ready is given up, and the old ones go on', async (t) => {
  const { group, at, said, wait, start } = rig(t)
  await start()
  group.restart({ config: config(2), sources })
  await wait(3)
  at(2).exit(1)
  const lines: string[] = []
  await eventually(async () => lines.push(...said()) > 0 && lines.some((line) => line.includes('given up')))
  t.strictSame(lines, [
    '30 restarting the workers one by one',
    '50 a new worker ended before it was ready',
    '50 the rolling restart is given up; the old workers go on',
  ])
  t.strictSame([at(0).told('retire'), at(1).told('retire')], [[], []])
  group.stop('SIGTERM')
  at(0).exit(0)
  at(1).exit(0)
  await group.end()
})

t.test('an end at once is told, and then made', async (t) => {
  const { group, at, start } = rig(t)
  await start()
  const ended = group.abort()
  for (const member of forked) t.equal(member.told('abort').length, 1)
  at(0).exit(1)
  at(1).exit(1)
  await ended
  for (const member of forked) t.strictSame(member.channel.killed, ['SIGKILL'])
  t.equal(forked.length, 2, 'none takes their place')
})
