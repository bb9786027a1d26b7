import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { amount } from '#test/support/amount.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { Ear } from '#test/support/realtime.ts'
import { startProxy, type TcpProxy } from '#test/support/tcp-proxy.ts'
import { startPostgres } from './postgres.ts'
import { ready, SHORT, signUpAdmin } from './rig.ts'

t.setTimeout(1_200_000)

const NODES = 3
const EARS = 4 * NODES
const STEPS = amount({ few: 8, many: 60 })
/** Projects of each step. */
const TURNS = 10
const PATIENCE = 240

const SEED = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Numbers from 0 to 1 that are the same for the same seed (Lehmer's generator). */
function randomBy(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

interface Node {
  service: TestService
  /** Between it and PostgreSQL, */
  readonly toDatabase: TcpProxy
  /** and between it and its clients. */
  readonly toClients: TcpProxy
}

t.test(`whatever happens, all hear the same in the same order (FAULT_SEED=${SEED})`, async (t) => {
  const random = randomBy(SEED)
  const pick = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(random() * items.length)]
    if (item === undefined) throw new Error('there is nothing to pick from')
    return item
  }
  const postgres = await startPostgres(t)
  const launch = (url: string) =>
    startService(t, {
      ...SHORT,
      APP_DATABASE__URL: url,
      APP_ROLE: 'all',
      APP_RATE_LIMIT__ENABLED: 'false',
      // Longer than the test.
      APP_JWT__EXPIRES_IN: '2h',
    })
  const nodes: Node[] = []
  for (let index = 0; index < NODES; index++) {
    const toDatabase = await startProxy(t, postgres.direct())
    const service = await launch(toDatabase.url)
    await ready(service.url)
    nodes.push({ service, toDatabase, toClients: await startProxy(t, service.url) })
  }
  const { token } = await signUpAdmin(nodes[0]?.service.url ?? '', postgres)
  const post = (url: string, json: object) => call(url, { method: 'POST', token, json })
  const organization = JSON.parse(
    (await post(`${nodes[0]?.service.url}/api/v1/organizations`, { name: 'A model' })).text,
  )
  const channel = `organizations:${organization.id}:projects`
  const ears: Ear[] = []
  for (let index = 0; index < EARS; index++) {
    const { port } = new URL(nodes[index % NODES]?.toClients.url ?? '')
    const ear = new Ear(t, `ws://127.0.0.1:${port}/realtime`, token)
    await ear.to(channel)
    ears.push(ear)
  }

  const names: string[] = []
  /** Makes projects at any node that answers; some have a name that is taken, and so are undone. */
  const write = async () => {
    const made: string[] = []
    for (let turn = 0; turn < TURNS; turn++) {
      const name = random() < 0.3 && names.length > 0 ? pick(names) : `Project ${names.length}-${turn}`
      const url = `${pick(nodes).service.url}/api/v1/organizations/${organization.id}/projects`
      const answer = await post(url, { name }).catch(() => undefined)
      if (answer?.status !== 201) continue
      names.push(name)
      made.push(JSON.parse(answer.text).id)
    }
    return made
  }
  const troubles: Record<string, () => Promise<void>> = {
    async 'a node is killed'() {
      const node = pick(nodes)
      node.service.child.kill('SIGKILL')
      await node.service.exited
      await write()
      node.service = await launch(node.toDatabase.url)
      node.toClients.retarget(node.service.url)
    },
    async 'a node stands still'() {
      const { child } = pick(nodes).service
      child.kill('SIGSTOP')
      await sleep(1000 + random() * 3000)
      child.kill('SIGCONT')
    },
    async 'a node is cut off from PostgreSQL'() {
      const { toDatabase } = pick(nodes)
      toDatabase.hang()
      await write()
      await toDatabase.restore()
    },
    async 'PostgreSQL stands still'() {
      await postgres.freeze()
      await sleep(random() * 4000)
      postgres.thaw()
    },
    async 'clients are cut off from a node'() {
      const { toClients } = pick(nodes)
      toClients.hang()
      await write()
      await toClients.restore()
    },
    async 'connections of clients break'() {
      const { toClients } = pick(nodes)
      await toClients.cut()
      await write()
      await toClients.restore()
    },
    async 'a client is away'() {
      const { client } = pick(ears)
      client.disconnect()
      await write()
      client.connect()
    },
  }

  for (let step = 0; step < STEPS; step++) {
    const trouble = pick(Object.keys(troubles))
    t.comment(`${step}: ${trouble}`)
    const writing = write()
    await troubles[trouble]?.()
    await writing
  }
  const last = await write()
  t.ok(last.length > 0, 'in the end it works')
  const kept = await postgres.query<{ id: string }>('SELECT id FROM projects')
  await eventually(async () => ears.every(({ told }) => told.length >= kept.length), PATIENCE)

  const order = ears[0]?.told.map(({ subject }) => subject) ?? []
  t.same([...order].sort(), kept.map(({ id }) => id).sort(), 'what was committed, once, and nothing else')
  for (const ear of ears) {
    t.same(
      ear.told.map(({ subject }) => subject),
      order,
    )
    t.notOk(ear.recoveries.includes(false), 'nobody had to load again')
  }
})
