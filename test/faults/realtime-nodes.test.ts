import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { startService } from '#test/support/process.ts'
import { Ear } from '#test/support/realtime.ts'
import { startProxy } from '#test/support/tcp-proxy.ts'
import { inTurn, SHORT, startRig } from './rig.ts'

t.setTimeout(1_200_000)

const CLIENTS = 5
/** Projects that are made, or tried, between two troubles. */
const TURNS = 30

t.test('three nodes in all kinds of trouble: everybody hears all of it, once, in one order', async (t) => {
  const env = { APP_ROLE: 'all', APP_RATE_LIMIT__ENABLED: 'false' }
  const { postgres, services, admin } = await startRig(t, { instances: 3, env })
  const urls = services.map(({ url }) => url)
  const proxies = await Promise.all(urls.map((url) => startProxy(t, url)))
  const { token } = admin
  const post = (url: string, json: object) => call(url, { method: 'POST', token, json })
  const organization = JSON.parse(
    (await post(`${urls[0]}/api/v1/organizations`, { name: 'In trouble' })).text,
  )
  const channel = `organizations:${organization.id}:projects`
  const ears: Ear[] = []
  for (let index = 0; index < 3 * CLIENTS; index++) {
    const { port } = new URL(proxies[index % 3]?.url ?? '')
    const ear = new Ear(t, `ws://127.0.0.1:${port}/realtime`, token)
    await ear.to(channel)
    ears.push(ear)
  }

  const working = new Set(urls)
  const made = new Set<string>()
  const names: string[] = []
  let count = 0
  /** Makes projects at any node; some names are taken, and so undone. */
  const write = async (turns: number) => {
    const next = inTurn([...working])
    for (let turn = 0; turn < turns; turn++) {
      const isTaken = names.length > 0 && Math.random() < 0.3
      const name = isTaken ? names[Math.floor(Math.random() * names.length)] : `Project ${count++}`
      const url = `${next()}/api/v1/organizations/${organization.id}/projects`
      const answer = await post(url, { name }).catch(() => undefined)
      if (answer?.status === 201) {
        const project = JSON.parse(answer.text)
        made.add(project.id)
        names.push(project.name)
      }
    }
  }
  const heardAll = () =>
    eventually(async () => {
      const rows = await postgres.query('SELECT FROM events WHERE realtime_at IS NULL')
      return rows.length === 0 && ears.every(({ told }) => told.length >= made.size)
    })

  await write(TURNS)
  await heardAll()

  await t.test('PostgreSQL hangs', async () => {
    const writing = write(4)
    postgres.proxy.hang()
    await sleep(3000)
    await postgres.proxy.restore()
    await writing
    await write(TURNS)
    await heardAll()
  })

  await t.test('PostgreSQL stands still, and goes on', async () => {
    const writing = write(4)
    await postgres.freeze()
    try {
      await sleep(5000)
    } finally {
      postgres.thaw()
    }
    await writing
    await write(TURNS)
    await heardAll()
  })

  await t.test('a process stands still, and goes on', async () => {
    const [, stopped] = services
    working.delete(urls[1] ?? '')
    stopped?.child.kill('SIGSTOP')
    await write(TURNS)
    const others = ears.filter((_, index) => index % 3 !== 1)
    await eventually(async () => others.every(({ told }) => told.length >= made.size))
    stopped?.child.kill('SIGCONT')
    working.add(urls[1] ?? '')
    await write(TURNS)
    await heardAll()
  })

  await t.test('a process is killed', async () => {
    const [killed] = services
    working.delete(urls[0] ?? '')
    const writing = write(TURNS)
    killed?.child.kill('SIGKILL')
    await killed?.exited
    const next = await startService(t, { APP_DATABASE__URL: postgres.url, ...SHORT, ...env })
    proxies[0]?.retarget(next.url)
    await writing
    working.add(next.url)
    await write(TURNS)
    await heardAll()
  })

  const [first] = ears
  const order = first?.told.map(({ subject }) => subject) ?? []
  t.equal(new Set(order).size, order.length, 'nothing twice')
  for (const id of made) if (!order.includes(id)) t.fail(`${id} was not told`)
  const kept = await postgres.query<{ id: string }>('SELECT id FROM projects')
  t.same(new Set(order), new Set(kept.map(({ id }) => id)), 'and nothing that was undone')
  for (const ear of ears) {
    t.same(
      ear.told.map(({ subject }) => subject),
      order,
      'in the same order',
    )
    t.notOk(ear.recoveries.includes(false), 'nobody had to load again')
  }
})
