import { request } from 'node:https'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, signUpRemote } from '#test/support/http.ts'
import { startShippedNginx, WITHOUT_NGINX } from '#test/support/nginx.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { startTraffic } from './traffic.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(1_800_000)

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 3)

async function startTwo(t: Test, env: Record<string, string>): Promise<[TestService, TestService]> {
  return [await startService(t, env), await startService(t, env)]
}

t.test('the nginx of deploy/compose.prod.yaml', { skip: WITHOUT_NGINX }, async (t) => {
  const db = await createTestDatabase(t)
  const env = {
    APP_DATABASE__URL: db.url,
    APP_DATABASE__MAX_CONNECTIONS: '4',
    APP_SERVER__DRAIN_DELAY: '2s',
    APP_SERVER__TRUSTED_PROXIES: '127.0.0.1',
    APP_METRICS__PUBLIC: 'true',
  }
  const services = await startTwo(t, env)
  const nginx = await startShippedNginx(t, [services[0].url, services[1].url])

  await t.test('speaks TLS, and says who asks', async (t) => {
    const answer = await new Promise<{ status: number | undefined; hsts: string | string[] | undefined }>(
      (resolve, reject) => {
        // What the client says of itself is not what is believed.
        const headers = { 'x-forwarded-for': '198.51.100.7', 'x-request-id': 'through-nginx' }
        // An address that is not the proxy's own.
        const options = { ca: nginx.certificate, headers, localAddress: '127.0.0.2' }
        const outgoing = request(`${nginx.tls}/api/v1/users/me`, options, (response) => {
          response.resume()
          const hsts = response.headers['strict-transport-security']
          response.once('end', () => resolve({ status: response.statusCode, hsts }))
        })
        outgoing.once('error', reject)
        outgoing.end()
      },
    )
    t.match(answer, { status: 401, hsts: /^max-age=\d+[^,]*$/ }, 'one promise of HTTPS, not two')
    const isLogged = () =>
      services.flatMap((service) => service.logs()).find((line) => line['request_id'] === 'through-nginx')
    await eventually(async () => isLogged() !== undefined)
    t.match(isLogged(), { remote_address: '127.0.0.2' }, 'the address is the one that nginx saw')

    const redirected = await call(`${nginx.redirecting}/api/v1/users?limit=1`, {
      headers: { host: 'example.com' },
    })
    t.match(redirected, { status: 308, headers: { location: 'https://example.com/api/v1/users?limit=1' } })
    t.equal((await call(`${nginx.redirecting}/proxy-health`)).status, 204)
    for (const path of ['/metrics', '/health', '/ready', '/ready/', '//health', '/health?x', '/%72eady']) {
      const { status, text } = await call(`${nginx.plain}${path}`)
      t.match({ status, text }, { status: 404, text: /nginx/ }, `${path} is not for the world`)
    }
    t.equal((await call(`${nginx.plain}/live`)).status, 200, 'a probe from outside gets an answer')
    const large = await call(`${nginx.plain}/api/v1/users`, {
      method: 'POST',
      json: { email: 'x'.repeat(300_000) },
    })
    t.match(
      large,
      { status: 413, headers: { 'content-type': /^application\/problem\+json/ } },
      "the service's own 413",
    )
  })

  await t.test('loses no read while one instance after the other restarts', async (t) => {
    const traffic = startTraffic(nginx.plain, await signUpRemote(nginx.plain), { writes: false })
    await traffic.goesOn(100)
    for (let round = 0; round < ROUNDS && traffic.failures().length === 0; round++) {
      for (const turn of [0, 1] as const) {
        const { child, exited, url } = services[turn]
        child.kill('SIGTERM')
        t.same(await exited, { code: 0, signal: null })
        await traffic.goesOn(50)
        services[turn] = await startService(t, { ...env, APP_SERVER__PORT: new URL(url).port })
        await eventually(async () => (await call(`${url}/ready`)).status === 200)
        // Longer than nginx takes the first for dead, before the other one goes.
        const answered = traffic.answered()
        await eventually(async () => services[turn].logs().some(({ path }) => path === '/api/v1/users/me'))
        await traffic.goesOn(50)
        t.ok(traffic.answered() > answered)
      }
    }
    await traffic.stop()
    t.same(traffic.failures().slice(0, 10), [], `of ${traffic.answered()} requests none failed`)
    if (traffic.failures().length > 0) t.comment(nginx.errors())
    t.comment(`${ROUNDS} rounds, ${traffic.answered()} requests`)
  })
})
