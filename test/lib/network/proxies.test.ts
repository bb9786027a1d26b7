import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { S3Store } from '#lib/backup/s3-store.ts'
import { fingerprint } from '#lib/error-reports/fingerprint.ts'
import { Reporter } from '#lib/error-reports/reporter.ts'
import { useProxies } from '#lib/network/proxies.ts'
import { isBreached } from '#services/passwords/breached-passwords.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call, registration } from '#test/support/http.ts'
import { listenOn } from '#test/support/otlp-receiver.ts'
import { startProcess, startService } from '#test/support/process.ts'

/** A forward proxy that answers everything by itself; the hosts behind it don't exist. */
async function startForwardProxy(t: Test) {
  const asked: string[] = []
  const server: Server = createServer(async (request, response) => {
    await text(request)
    // Within a tunnel there is but a path.
    const place = request.url?.startsWith('/') ? `http://${request.headers.host}${request.url}` : request.url
    asked.push(`${request.method} ${place?.split('?')[0]}`)
    const isList = request.url?.includes('list-type')
    response.end(isList ? '<ListBucketResult></ListBucketResult>' : '')
  })
  server.on('connect', (request, socket) => {
    if (request.url?.endsWith(':80')) {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      server.emit('connection', socket)
      return
    }
    asked.push(`CONNECT ${request.url}`)
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  return { url: await listenOn(t, server), asked }
}

const CREDENTIALS = { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: undefined, region: undefined }
const BREACH_CHECK = { timeout: 20_000, on_error: 'open' } as const

t.test('the breach check, the object store and error reports go through the proxy', async (t) => {
  const { url, asked } = await startForwardProxy(t)
  t.teardown(useProxies({ HTTP_PROXY: url, https_proxy: url, NO_PROXY: 'local.invalid' }))

  t.equal(await isBreached({ ...BREACH_CHECK, url: 'http://range.invalid/range' }, 'password'), false)
  await new S3Store('s3://bucket', { ...CREDENTIALS, endpoint: 'http://s3.invalid' }).list()
  const outcomes: string[] = []
  const reporter = new Reporter({
    dsn: 'http://key:secret@sentry.invalid/1/',
    version: '0.0.0',
    environment: 'test',
    redact: (json) => json,
    finished: (outcome) => outcomes.push(outcome),
  })
  reporter.report({ ...fingerprint(new Error('x'), 'test'), message: 'x', operation: 'test', level: 'error' })
  await eventually(async () => outcomes.length === 1)
  t.match(asked, [
    /^GET http:\/\/range\.invalid\/range\/5BAA6$/,
    /^GET http:\/\/s3\.invalid\/bucket/,
    'POST http://sentry.invalid/api/1/envelope/',
  ])

  await t.rejects(isBreached({ ...BREACH_CHECK, url: 'https://range.invalid/range' }, 'password'))
  t.equal(asked.at(-1), 'CONNECT range.invalid:443', 'TLS goes through a tunnel')
  await t.rejects(isBreached({ ...BREACH_CHECK, url: 'http://local.invalid/range' }, 'password'))
  t.equal(asked.length, 4, 'NO_PROXY holds')
})

t.test('a service: traces too, and a breach check that fails is counted and logged', async (t) => {
  const { url: proxy, asked } = await startForwardProxy(t)
  const db = await createTestDatabase(t)
  const service = await startService(t, {
    APP_DATABASE__URL: db.url,
    APP_TRACING__ENDPOINT: 'http://collector.invalid:4318',
    APP_TRACING__SAMPLE_RATIO: '1',
    APP_AUTH__BREACH_CHECK__URL: 'https://range.invalid/range',
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    NO_PROXY: '127.0.0.1',
  })
  const { status } = await call(`${service.url}/api/v1/users`, { method: 'POST', json: registration() })
  t.equal(status, 201)
  await eventually(async () => asked.includes('POST http://collector.invalid:4318/v1/traces'))
  t.ok(asked.includes('CONNECT range.invalid:443'))
  t.match((await call(`${service.url}/metrics`)).text, 'breach_checks_total{outcome="failed"} 1')
  t.match(
    service.logs().filter(({ level }) => level === 'warn'),
    [{ msg: 'the breach check failed, the password is accepted without it' }],
  )
})

t.test('invalid proxies are refused at start', async (t) => {
  const env = {
    ...process.env,
    APP_ENVIRONMENT: 'test',
    HTTPS_PROXY: 'proxy:3128',
    HTTP_PROXY: 'http://a',
    http_proxy: 'http://b',
  }
  const child = startProcess(t, process.execPath, ['commands/config.ts'], { env })
  t.match(await child.exited, { code: 1 })
  t.match(child.stderr(), /HTTPS_PROXY: must be a URL such as http:/)
  t.match(child.stderr(), /HTTP_PROXY: differs from http_proxy/)
})
