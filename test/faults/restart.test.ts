import t from 'tap'
import { eventually } from '../eventually.ts'
import { call, registration, signUp } from '../http.ts'
import { startService } from '../process.ts'
import { killServer, serverDirectory, start } from '../services/embedded-postgres/helper.ts'
import { startProxy } from '../tcp-proxy.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(300_000)

t.test('PostgreSQL crashes and comes back', async (t) => {
  const directory = await serverDirectory(t)
  const server = await start(directory)
  const proxy = await startProxy(t, server.url)
  const { url, logs } = await startService(t, { APP_DATABASE__URL: proxy.url })
  const user = await signUp(url)
  const readSelf = () => call(`${url}/api/v1/users/me`, { token: user.token })
  const register = () => call(`${url}/api/v1/users`, { method: 'POST', json: registration() })

  for (let round = 1; round <= 2; round++) {
    const statuses: number[] = []
    let going = true
    const load = Promise.all(
      [readSelf, register, readSelf].map(async (send) => {
        while (going) statuses.push((await send()).status)
      }),
    )
    await eventually(async () => statuses.length > 20)
    await killServer(directory)
    await eventually(async () => statuses.slice(-3).every((status) => status === 503))
    t.match(await call(`${url}/live`), { status: 200 })
    const again = await start(directory)
    t.teardown(() => again.stop())
    proxy.retarget(again.url)
    await eventually(async () => (await call(`${url}/ready`)).status === 200)
    going = false
    await load
    t.same([...new Set(statuses)].sort(), [200, 201, 503])
    await eventually(async () => (await readSelf()).status === 200)
    await eventually(async () => (await register()).status === 201)
  }
  t.same(
    logs().filter(({ level }) => level === 'fatal'),
    [],
  )
})
