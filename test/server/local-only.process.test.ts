import { request } from 'node:http'
import t, { type Test } from 'tap'
import { createEmptyDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { environment, listening, startProcess } from '#test/support/process.ts'

/** Starts server.ts as on a new machine: without APP_ENVIRONMENT. */
async function start(t: Test, env: Record<string, string>) {
  const { url } = await createEmptyDatabase(t)
  const variables = environment({ APP_SERVER__PORT: '0', APP_DATABASE__URL: url, ...env })
  return startProcess(t, process.execPath, ['server.ts'], { env: variables })
}

/** The status of GET, with these headers; `fetch` would not send another Host. */
function get(url: string, headers: Record<string, string | string[]>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

t.test('development settings that nobody asked for do not start on a network', async (t) => {
  const server = await start(t, { APP_SERVER__HOST: '0.0.0.0', NODE_ENV: 'production' })
  t.same(await server.exited, { code: 1, signal: null })
  t.match(server.stderr(), /APP_ENVIRONMENT: is not set.*NODE_ENV is production, server\.host is not/)
  t.match(server.stderr(), 'Set APP_ENVIRONMENT=production')
  t.equal(server.stdout(), '')
})

t.test(
  'without APP_ENVIRONMENT it serves its own machine, and nobody who comes through a proxy',
  async (t) => {
    const url = await listening(await start(t, {}))
    const mailbox = `${url}/dev/mail`
    const local: Record<string, string>[] = [
      {},
      { host: 'localhost:8080' },
      { host: '[::1]:8080' },
      { 'x-forwarded-for': '127.0.0.1, ::1', 'x-forwarded-host': 'localhost:5173' },
      { forwarded: 'for="[::1]:4711";host=localhost:5173;proto=http;by=_proxy' },
    ]
    for (const headers of local) t.equal(await get(mailbox, headers), 200, JSON.stringify(headers))
    const others: Record<string, string | string[]>[] = [
      { host: 'api.example.com' },
      { host: '192.168.1.5:8080' },
      { 'x-forwarded-for': '203.0.113.9' },
      { 'x-forwarded-for': '203.0.113.9, 127.0.0.1' },
      { 'x-forwarded-for': ['127.0.0.1', '[2001:db8::1]:443'] },
      { 'x-forwarded-for': 'unknown' },
      { 'x-forwarded-host': 'api.example.com' },
      { 'x-real-ip': '192.168.1.7' },
      { forwarded: 'for=203.0.113.9;proto=https' },
      { forwarded: 'for=127.0.0.1, for=_hidden' },
      { 'cf-connecting-ip': '2001:db8::1' },
    ]
    for (const headers of others) {
      for (const path of ['/dev/mail', '/metrics', '/ready', '/api/v1/users/me', '/nowhere']) {
        t.equal(await get(`${url}${path}`, headers), 403, `${path} ${JSON.stringify(headers)}`)
      }
    }
  },
)

t.test('development that was asked for may be on a network, and says so', async (t) => {
  const server = await start(t, { APP_ENVIRONMENT: 'development', APP_SERVER__HOST: '0.0.0.0' })
  const url = await listening(server)
  t.equal(await get(`${url}/dev/mail`, { host: 'laptop.local:8080' }), 200)
  await eventually(async () => server.stderr().includes('Warning    Others can reach this service'))
})
