import { mock } from 'node:test'
import { Gauge } from 'prom-client'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { startInstance } from '#test/support/instances.ts'
import { config, pair } from './pair.ts'

/** Orders that say what was ordered. */
function orders() {
  const given: unknown[] = []
  return {
    given,
    stop: (signal: string) => given.push(['stop', signal]),
    retire: () => given.push('retire'),
    abort: () => given.push('abort'),
    orphaned: () => given.push('orphaned'),
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

const app = await startInstance(t, await createTestDatabase(t), { APP_ROLE: 'web', APP_LOG__LEVEL: 'info' })

t.test('a worker is told nothing before it can hear, and then all of it in order', async (t) => {
  const { ours, member, start, typesOf } = pair()
  member.setLogLevels({ level: 'debug' })
  member.stop('SIGINT')
  t.strictSame(ours.channel.sent, [])
  const link = start()
  t.strictSame(typesOf(ours.channel), ['serve', 'log_levels', 'stop'])
  const { first, sources: received, config: served } = await link.task
  t.strictSame([first, received], [true, [['server.port', 'default']]])
  t.strictSame(served, JSON.parse(JSON.stringify(config)))
  const { given, ...all } = orders()
  link.follow(all)
  await turn()
  t.strictSame(given, [['stop', 'SIGINT']], 'an order that came together with the task')
  member.retire()
  member.abort()
  member.stop('SIGTERM')
  await turn()
  t.strictSame(given.slice(1), ['retire', 'abort', ['stop', 'SIGTERM']])
  ours.channel.connected = false
  member.retire()
  await turn()
  t.equal(given.length, 4, 'nor when it has died')
})

t.test('what a worker says of itself', async (t) => {
  const { theirs, member, start } = pair()
  const link = start()
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  await link.report(app)
  t.equal(await member.listening, port)
  t.equal(await member.ready, true)
  app.drain()
  theirs.channel.sent.length = 0
  await link.report(app)
  t.strictSame(theirs.channel.sent, [{ type: 'listening', port }], 'not ready, and not for ever')
  t.equal(member.pid, 4711)
  member.kill()
})

t.test('how a worker ended', async (t) => {
  const one = pair()
  one.ours.worker.emit('exit', 3, null)
  t.strictSame(await one.member.ended, { code: 3, signal: null })
  t.equal(await one.member.listening, undefined)
  t.equal(await one.member.ready, false)
  const killed = pair()
  killed.ours.channel.emit('error', new Error('a message could not be sent'))
  killed.member.kill()
  t.strictSame(killed.ours.channel.killed, ['SIGKILL'])
  killed.ours.worker.emit('exit', null, 'SIGKILL')
  t.strictSame(await killed.member.ended, { code: null, signal: 'SIGKILL' }, 'not what came before')
  const unborn = pair()
  unborn.ours.channel.pid = undefined
  unborn.ours.channel.emit('error', new Error('spawn ENOMEM'))
  t.strictSame(await unborn.member.ended, { code: null, signal: null }, 'no process, no exit')
})

t.test('a worker whose primary is gone is told, and not ended on the spot', async (t) => {
  const { theirs, start } = pair()
  const link = start()
  const { given, ...all } = orders()
  link.follow(all)
  theirs.worker.emit('disconnect')
  await link.gone
  t.strictSame(given, ['orphaned'])
  t.equal(theirs.worker.exitedAfterDisconnect, true)
  theirs.channel.connected = false
  await link.leave()
})

t.test('metrics of one and of all, and levels of the log', async (t) => {
  const { ours, theirs, told, member, start, listener } = pair()
  const link = start()
  await member.collect(60_000)
  t.strictSame(told, [['collected', false]], 'one without an application has none')
  await link.leave()
  t.equal(told.length, 1)
  member.setLogLevels({ level: 'error' })
  app.metrics.registerMetric(new Gauge({ name: 'things', help: 'x', registers: [] }))
  link.share(app)
  t.equal(app.log.level, 'error', 'levels that came before the application')
  member.setLogLevels({ level: 'debug' })
  t.equal(app.log.level, 'debug')
  member.setLogLevels(undefined)
  t.equal(app.log.level, 'info', 'as the configuration says')
  app.changeLogLevels({ level: 'warn' })
  t.equal(app.log.level, 'warn')
  t.strictSame(told.splice(1), [['levels', { level: 'warn' }]])

  await member.collect(60_000)
  await link.leave()
  t.strictSame(told.splice(1), Array(2).fill(['collected', true]))
  t.match(theirs.channel.sent.at(-1), { type: 'collected', id: null })
  t.strictSame(await app.readMetrics(), { contentType: app.metrics.contentType, text: 'the metrics of all' })
  listener.read = () => Promise.reject(new Error('failed'))
  await t.rejects(app.readMetrics(), { message: 'the primary process gave no metrics' })

  // One that says nothing, or ends meanwhile, holds nobody up.
  theirs.channel.removeAllListeners('message')
  await member.collect(1)
  const waiting = member.collect(60_000)
  ours.worker.emit('exit', 0, null)
  await waiting
  t.equal(told.length, 1)
})

t.test('one that answers is left alone, and one that does not is killed', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const { ours, theirs, told, start } = pair()
  start()
  const look = (times: number) => {
    for (let count = 0; count < times; count++) mock.timers.tick(5000)
  }
  look(1)
  t.notOk(
    ours.channel.sent.some(({ type }) => type === 'ping'),
    'a start takes its time',
  )
  ours.channel.emit('message', { type: 'listening', port: 1 })
  look(20)
  t.equal(theirs.channel.sent.filter(({ type }) => type === 'pong').length, 20)
  t.strictSame([told, ours.channel.killed], [[], []])
  // It hears nothing any more.
  ours.channel.other = undefined
  look(6)
  t.strictSame(told, [])
  ours.channel.emit('message', { type: 'pong' })
  look(6)
  t.strictSame([told, ours.channel.killed], [[], []], 'any word will do')
  look(3)
  t.strictSame([told, ours.channel.killed], [[['stuck', 4711]], ['SIGKILL']])
  const ended = pair()
  ended.start()
  ended.ours.channel.emit('message', { type: 'listening', port: 1 })
  ended.ours.worker.emit('exit', 0, null)
  await ended.member.ended
  await turn()
  ended.ours.channel.other = undefined
  look(20)
  t.strictSame([ended.told, ended.ours.channel.killed], [[], []])
})
