import { Agent } from 'node:http'
import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { CONNECTIONS, isRefused } from './helper.ts'
import { runs, withWorkers, workersOf } from './worker-processes.ts'

/** Sends requests that are logged and counted as `getCurrentUser`. */
async function ask(url: string, times: number): Promise<void> {
  for (let sent = 0; sent < times; sent++) await call(`${url}/api/v1/users/me`)
}

async function countSelf(url: string): Promise<number> {
  const { status, text } = await call(`${url}/metrics`)
  if (status !== 200) throw new Error(text)
  return Number(
    /^http_request_duration_seconds_count\{method="GET",operation="getCurrentUser",status_code="401"\} (\d+)$/m.exec(
      text,
    )?.[1],
  )
}

t.test('they share the port, count together, and one that dies is replaced', async (t) => {
  const { service, db, url } = await withWorkers(t)
  t.equal(service.stdout().match(/http:\/\/127/g)?.length, 1, 'the URL is told once')
  await ask(url, 20)
  const serving = () =>
    new Set(
      service
        .logs()
        .filter(({ operation }) => operation === 'getCurrentUser')
        .map(({ pid }) => pid),
    )
  await eventually(async () => serving().size === 2)
  t.same([...serving()].sort(), workersOf(service).sort(), 'the primary serves nothing')
  t.equal(await countSelf(url), 20)
  const { text } = await call(`${url}/metrics`)
  t.match(text, /^app_info\{.*\} 1$/m)
  t.match(text, /^process_start_time_seconds \d{10}$/m)
  t.match(text, /^health_check_up\{check="database"\} 1$/m, 'what each says of the same is not added up')
  await eventually(async () => /^instances_known 2$/m.test((await call(`${url}/metrics`)).text))
  t.notMatch(text, /[ ](?:NaN|null|undefined)$/m)

  const [victim = 0] = workersOf(service)
  process.kill(victim, 'SIGKILL')
  await eventually(async () => workersOf(service).length === 3)
  t.match(
    service.logs().find(({ level }) => level === 'error'),
    { pid: Number, worker_pid: victim, code: null, signal: 'SIGKILL', msg: /another takes its place/ },
  )
  await ask(url, 10)
  t.equal(await countSelf(url), 30, 'what the dead one had counted stays')

  service.child.kill('SIGTERM')
  t.same(await service.exited, { code: 0, signal: null })
  t.equal(service.logs().filter(({ msg }) => msg === 'shut down').length, 3)
  t.same(workersOf(service).filter(runs), [])
  t.same(await db.query(CONNECTIONS), [])
})

t.test('those that die again and again are replaced ever later', async (t) => {
  const { service, url } = await withWorkers(t)
  const delays = () =>
    service.logs().flatMap(({ delay_ms }) => (typeof delay_ms === 'number' ? [delay_ms] : []))
  for (let deaths = 1; deaths <= 2; deaths++) {
    process.kill(workersOf(service).at(-1) ?? 0, 'SIGKILL')
    await eventually(async () => workersOf(service).length === 2 + deaths)
    t.match(await call(`${url}/live`), { status: 200 })
  }
  // How old a worker got before its end depends on the machine.
  t.ok(delays().length === 2 && delays().every((delay) => [0, 500, 1000].includes(delay)))
})

t.test(
  'a worker that was ended by itself, and all of them at once, come back on the same port',
  async (t) => {
    const { service, url } = await withWorkers(t)
    const [first = 0, second = 0] = workersOf(service)
    process.kill(first, 'SIGTERM')
    await eventually(async () => workersOf(service).length === 3)
    t.match(
      service.logs().find(({ worker_pid }) => worker_pid === first),
      { level: 'warn', code: 0 },
    )
    for (const pid of [workersOf(service).at(-1) ?? 0, second]) process.kill(pid, 'SIGKILL')
    await eventually(async () => workersOf(service).length >= 5)
    await eventually(async () => !(await isRefused(`${url}/live`)))
    t.match(await call(`${url}/ready`), { status: 200 })
  },
)

t.test('the lines of all are whole, also when their reader is slow', async (t) => {
  const { service, url } = await withWorkers(t)
  service.child.stdout?.pause()
  const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true }))
  // Of paths that nobody serves. Some 500 KB, of which a pipe takes 64.
  await Promise.all(
    agents.map(async (agent, index) => {
      for (let sent = 0; sent < 200; sent++) await call(`${url}/${'x'.repeat(20 * index + 1)}`, { agent })
      agent.destroy()
    }),
  )
  service.child.stdout?.resume()
  await eventually(async () => service.stdout().split('"operation":"unknown"').length - 1 === 1600)
  t.doesNotThrow(() => service.logs())
})
