import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { listenOn } from '#test/support/otlp-receiver.ts'
import { CONNECTIONS, holdPatch, isRefused, run } from './helper.ts'

t.test('an uncaught error: logged as fatal, what is in flight finishes, exit 1', async (t) => {
  for (const [signal, message] of [
    ['SIGUSR2', 'planted exception'],
    ['SIGWINCH', 'planted rejection'],
  ] as const) {
    const running = await run(t)
    const { service, db } = running
    const { answer, release } = await holdPatch(running)
    service.child.kill(signal)
    await eventually(() => isRefused(`${service.url}/live`))
    await release()
    t.match(await answer, { status: 200, headers: { connection: 'close' } }, message)
    t.same(await service.exited, { code: 1, signal: null })
    t.match(
      service.logs().find(({ level }) => level === 'fatal'),
      { msg: 'shutting down', err: { type: 'Error', message, stack: /crash\.ts/ } },
    )
    t.same(await db.query(CONNECTIONS), [])
  }
})

t.test('a second error ends it at once', async (t) => {
  const running = await run(t)
  const { answer, release } = await holdPatch(running)
  running.service.child.kill('SIGUSR2')
  await eventually(() => isRefused(`${running.service.url}/live`))
  running.service.child.kill('SIGWINCH')
  await t.rejects(answer, { code: 'ECONNRESET' })
  t.same(await running.service.exited, { code: 1, signal: null })
  t.match(running.service.logs().at(-1), {
    level: 'fatal',
    msg: 'uncaught error during shutdown, exiting',
    err: { message: 'planted rejection' },
  })
  await release()
})

t.test('an error that ends the process is reported before it is gone', async (t) => {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    bodies.push(await text(request))
    response.end('{}')
  })
  const receiver = await listenOn(t, server)
  const { service } = await run(t, { APP_ERRORS__DSN: `${receiver.replace('//', '//key@')}/7` })
  service.child.kill('SIGUSR2')
  t.match(await service.exited, { code: 1 })
  t.equal(bodies.length, 1)
  const event = JSON.parse(bodies[0]?.split('\n')[2] ?? '')
  t.match(event, {
    level: 'fatal',
    transaction: 'process',
    exception: { values: [{ type: 'Error', value: 'planted exception' }] },
  })
})
