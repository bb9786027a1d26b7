import t from 'tap'
import { amount } from '#test/support/amount.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { Crowd } from './crowd.ts'
import { inTurn, startRig } from './rig.ts'

t.setTimeout(1_200_000)

const CLIENTS = amount({ few: 150, many: 5000 })
/** Projects that are made before, meanwhile and after. */
const TURNS = 20
/** Seconds in which all have heard all, on a machine that may be busy. */
const PATIENCE = 300

t.test(`one of three nodes is killed, with ${CLIENTS} clients`, async (t) => {
  const { postgres, services, urls, admin } = await startRig(t, {
    instances: 3,
    env: {
      APP_ROLE: 'all',
      APP_RATE_LIMIT__ENABLED: 'false',
      // Longer than the test.
      APP_JWT__EXPIRES_IN: '2h',
      APP_REALTIME__CONNECTIONS_PER_USER: '100000',
      APP_REALTIME__CONNECTIONS_PER_ADDRESS: '100000',
    },
  })
  const { token } = admin
  const post = (url: string, json: object) => call(url, { method: 'POST', token, json })
  const made = JSON.parse((await post(`${urls[0]}/api/v1/organizations`, { name: 'A crowd' })).text)
  const channel = `organizations:${made.id}:projects`
  const crowd = await Crowd.open(t, CLIENTS, {
    ...{ token, channel },
    urls: urls.map((url) => `${url.replace('http', 'ws')}/realtime`),
  })
  let count = 0
  const write = async (at: readonly string[]) => {
    const next = inTurn(at)
    for (let turn = 0; turn < TURNS; turn++) {
      const url = `${next()}/api/v1/organizations/${made.id}/projects`
      await post(url, { name: `Project ${count++}` }).catch(() => undefined)
    }
  }
  const kept = async () => {
    const rows = await postgres.query<{ id: string }>('SELECT id FROM projects')
    return rows.map(({ id }) => id)
  }
  const allHear = () => eventually(async () => crowd.hasHeard((await kept()).length), PATIENCE)

  await write(urls)
  await allHear()
  t.equal(crowd.returns, 0)

  const [killed] = services
  const writing = write(urls.slice(1))
  killed?.child.kill('SIGKILL')
  await killed?.exited
  await writing
  await write(urls.slice(1))
  await allHear()

  t.ok(crowd.returns >= Math.floor(CLIENTS / 3), 'a third had to come back')
  t.same(new Set(crowd.wrongs), new Set(), 'nobody missed anything, or heard it twice or out of order')
  t.same([...crowd.order].sort(), (await kept()).sort())
})
