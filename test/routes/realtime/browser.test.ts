import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startChromium, withoutChromium } from '#test/support/chromium.ts'
import { eventually } from '#test/support/eventually.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { tokenOf } from '#test/support/realtime.ts'
import { NODES } from '#test/support/realtime-nodes.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** The example of docs/realtime.md, as it stands there. */
async function examplePage(): Promise<string> {
  const document = await readFile(join(ROOT, 'docs/realtime.md'), 'utf8')
  return /```html\n(.+?)```/s.exec(document)?.[1] ?? ''
}

/** The same as docs/realtime/centrifugo.md says it, for the token goes along as data there. */
async function exampleOfCentrifugo(): Promise<string> {
  const document = await readFile(join(ROOT, 'docs/realtime/centrifugo.md'), 'utf8')
  const data = /^ {2}getData: .+$/m.exec(document)?.[0] ?? ''
  return (await examplePage()).replace(/getToken: .+$/m, data)
}

const EXAMPLES = { embedded: examplePage, centrifugo: exampleOfCentrifugo }

/** Serves pages of this machine, as the service is: a browser lets no page of the internet reach it. */
async function servePages(t: Test) {
  const library = await readFile(join(ROOT, 'node_modules/centrifuge/dist/centrifuge.js'), 'utf8')
  const pages = new Map<string, string>()
  const server = createServer(({ url = '' }, response) => {
    const isLibrary = url.endsWith('.js')
    response.setHeader('content-type', isLibrary ? 'text/javascript' : 'text/html')
    response.end(isLibrary ? library : pages.get(url))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  return { pages, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

for (const engine of ['embedded', 'centrifugo'] as const) {
  const skip = withoutChromium || NODES[engine].skip
  t.test(`the example in two browsers, at two nodes of the engine ${engine}`, { skip }, async (t) => {
    const { pages, origin } = await servePages(t)
    const { one, urls } = await NODES[engine].start(t, { origin })
    const example = await EXAMPLES[engine]()
    const tenant = await createOrganization(one.app)
    const removed = await tenant.add('member')
    const browser = await startChromium(t)

    const open = async (url: string, token: string) => {
      const context = await browser.newContext()
      const page = await context.newPage()
      const values = { token, organizationId: tenant.organization.id }
      const setup = `<script>
        const { token, organizationId } = ${JSON.stringify(values)}
        const told = [], loads = [], ended = []
        const accessToken = () => token
        const loadProjects = () => loads.push(1)
        const changed = (type, id) => told.push(id)
      </script>`
      const path = `/${pages.size}`
      pages.set(path, setup + example.replace('wss://api.example.com/realtime', url))
      await page.goto(origin + path)
      const of = <T>(expression: string) => page.evaluate<T>(expression)
      await eventually(async () => (await of<number>('loads.length')) === 1)
      return { context, told: () => of<string[]>('told'), loads: () => of<number>('loads.length'), of }
    }
    const [here, there] = [await open(urls[0], tokenOf(tenant.owner)), await open(urls[1], tokenOf(removed))]

    const ids = [(await tenant.createProject()).id]
    for (const { told } of [here, there]) await eventually(async () => (await told()).length === 1)

    await there.context.setOffline(true)
    await there.of('centrifuge.disconnect()')
    for (let index = 0; index < 3; index++) ids.push((await tenant.createProject()).id)
    await eventually(async () => (await here.told()).length === 4)
    t.equal((await there.told()).length, 1)
    await there.context.setOffline(false)
    await there.of('centrifuge.connect()')
    for (const { told, loads } of [here, there]) {
      await eventually(async () => (await told()).length === 4)
      t.same(await told(), ids)
      t.equal(await loads(), 1, 'nothing had to be loaded again')
    }

    await there.of('void centrifuge.on("connecting", ({ code }) => ended.push(code))')
    const url = `${tenant.url}/members/${removed.user.id}`
    t.equal((await one.request({ method: 'DELETE', url, as: tenant.owner })).statusCode, 204)
    await eventually(async () => (await there.of<string>('projects.state')) === 'unsubscribed')
    await eventually(async () => (await there.of<number[]>('ended')).includes(4000))
    await eventually(async () => (await there.of<string>('centrifuge.state')) === 'connected')
    await tenant.createProject()
    await eventually(async () => (await here.told()).length === 5)
    t.equal((await there.told()).length, 4)
  })
}
