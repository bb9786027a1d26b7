import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { type Answer, call } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { assertAnswers, audit, type Load, startLoad } from './ledger.ts'
import { BROKEN, type LoadBalancer, startLoadBalancer } from './load-balancer.ts'
import { type Rig, ready, SHORT, startRig } from './rig.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(600_000)

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 3)
const FAULTY = { nodeArgs: ['--import', join(import.meta.dirname, '../fixtures/faulty-requests.ts')] }

interface Site extends Rig {
  balancer: LoadBalancer
  load: Load
  env: Record<string, string>
}

/** Three instances behind a load balancer, under load. */
async function startSite(t: Test, env: Record<string, string> = {}): Promise<Site> {
  const rig = await startRig(t, { instances: 1, env })
  const variables = { APP_DATABASE__URL: rig.postgres.url, APP_ROLE: 'web', ...SHORT, ...env }
  // The rig's own instance has made the schema and the admin; those that are broken can be broken.
  const services = await Promise.all([1, 2, 3].map(() => startService(t, variables, FAULTY)))
  const urls = services.map(({ url }) => url)
  const balancer = await startLoadBalancer(t, urls)
  await eventually(async () => balancer.ready().length === 3)
  const load = startLoad(t, { target: () => balancer.url, token: rig.admin.token })
  return { ...rig, services, urls, balancer, load, env: variables }
}

/** Starts another instance in the place of one that has ended, as a supervisor does. */
async function replace(t: Test, site: Site, old: TestService): Promise<void> {
  const next = await startService(t, site.env, FAULTY)
  site.services[site.services.indexOf(old)] = next
  site.balancer.remove(old.url)
  site.balancer.add(next.url)
  await eventually(async () => site.balancer.ready().length === 3)
}

/** Responses of the load balancer itself, for requests that an instance took along when it ended. */
function lost({ entries }: Load): number {
  return entries.filter(({ answer }) => answer?.headers[BROKEN] !== undefined).length
}

/** The load without what got no answer of an instance. */
function answered({ entries }: Load) {
  return { entries: entries.filter(({ answer }) => answer?.headers[BROKEN] === undefined) }
}

function first({ services }: Site): TestService {
  const [service] = services
  if (service === undefined) throw new Error('there are three')
  return service
}

t.test('kill -9 of one of three under load: nothing acknowledged is lost, the others go on', async (t) => {
  const site = await startSite(t)
  for (let round = 1; round <= ROUNDS; round++) {
    await site.load.acknowledges(50)
    const killed = first(site)
    killed.child.kill('SIGKILL')
    await site.load.acknowledges(100)
    t.notOk(site.balancer.ready().includes(killed.url), 'it gets no requests any more')
    await replace(t, site, killed)
  }
  await site.load.stop()
  await audit(t, site.load, site.postgres)
  assertAnswers(t, answered(site.load))
  // Those that were under way there, at most one for each writer and round.
  t.ok(lost(site.load) <= 8 * ROUNDS, `${lost(site.load)} requests got no answer`)
})

t.test('an error that nobody catches: logged, ended in order with 1, replaced', async (t) => {
  const site = await startSite(t)
  for (const planted of ['exception', 'rejection']) {
    await site.load.acknowledges(50)
    const broken = first(site)
    t.match(await call(`${broken.url}/live?planted_${planted}`), { status: 200 }, 'who is served is served')
    t.same(await broken.exited, { code: 1, signal: null })
    t.match(
      broken.logs().filter(({ level }) => level === 'fatal'),
      [{ msg: 'shutting down', err: { message: `planted ${planted}` } }],
    )
    t.match(broken.logs().at(-1), { msg: 'shut down' })
    await site.load.acknowledges(50)
    await replace(t, site, broken)
  }
  await site.load.stop()
  await audit(t, site.load, site.postgres)
  assertAnswers(t, answered(site.load))
})

/** As the contract has it. One block that has ended is not an overload, so it may be missing. */
const OVERLOADED = { status: 503, headers: { 'retry-after': '10' }, text: /"code":"overloaded"/ }

t.test('a handler that blocks the loop: others go on, and it recovers by itself', async (t) => {
  const site = await startSite(t, { APP_PRESSURE__MAX_EVENT_LOOP_DELAY: '1s' })
  const blocked = first(site)
  await site.load.acknowledges(50)
  const block = call(`${blocked.url}/live?planted_block=8000`)
  // They come while it can't be asked, and are answered when it can.
  const readSelf = () => call(`${blocked.url}/api/v1/users/me`, { token: site.admin.token })
  const meanwhile: Promise<Answer>[] = []
  const asking = setInterval(() => meanwhile.push(readSelf()), 200)
  await eventually(async () => !site.balancer.ready().includes(blocked.url))
  await site.load.acknowledges(50)
  for (const { url } of site.services.slice(1)) t.match(await call(`${url}/live`), { status: 200 })
  t.match(await block, { status: 200 })
  clearInterval(asking)
  for (const { status, headers, text } of await Promise.all(meanwhile)) {
    if (status !== 200) t.match({ status, headers, text }, OVERLOADED)
  }
  await ready(blocked.url)
  await eventually(async () => (await readSelf()).status === 200)
  await eventually(async () => site.balancer.ready().length === 3)

  // A signal that comes meanwhile waits for the loop, and is not forgotten.
  const again = call(`${blocked.url}/live?planted_block=3000`)
  await eventually(async () => !site.balancer.ready().includes(blocked.url))
  blocked.child.kill('SIGTERM')
  t.same(await blocked.exited, { code: 0, signal: null })
  t.match(await again, { status: 200 })
  await site.load.acknowledges(50)
  await site.load.stop()
  await audit(t, site.load, site.postgres)
})

t.test(
  'a request that outlasts shutdown_timeout, or a second signal: cut off, exit 1, not half done',
  async (t) => {
    const site = await startSite(t, { APP_SERVER__SHUTDOWN_TIMEOUT: '3s', APP_DATABASE__LOCK_TIMEOUT: '1h' })
    await site.load.acknowledges(50)
    for (const second of [undefined, 'SIGINT'] as const) {
      const outlasted = first(site)
      // A body that never comes to its end.
      const port = Number(new URL(outlasted.url).port)
      const slow = connect(port, '127.0.0.1')
      slow.on('error', () => undefined)
      t.teardown(() => slow.destroy())
      const closed = new Promise((resolve) => slow.once('close', resolve))
      const head = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
      slow.write(`${head}Content-Length: 100000\r\n\r\n{`)
      const dripping = setInterval(() => slow.write('x'), 200)
      await new Promise((resolve) => slow.write('x', resolve))
      // So that what was sent before it has been read.
      await call(`${outlasted.url}/live`)

      outlasted.child.kill('SIGTERM')
      if (second) {
        await eventually(async () => outlasted.stdout().includes('shutting down'))
        outlasted.child.kill(second)
      }
      t.same(await outlasted.exited, { code: 1, signal: null })
      const msg = second ? 'second signal, exiting' : 'shutdown_timeout is over, exiting'
      t.match(outlasted.logs().at(-1), { level: 'fatal', msg })
      await closed
      clearInterval(dripping)
      await replace(t, site, outlasted)
      await site.load.acknowledges(50)
    }
    await site.load.stop()
    await audit(t, site.load, site.postgres)
    assertAnswers(t, answered(site.load))
  },
)
