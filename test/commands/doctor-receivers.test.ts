import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { findings } from '#test/support/doctor.ts'
import { freePort } from '#test/support/free-port.ts'
import { listenOn } from '#test/support/otlp-receiver.ts'

/** Settings by which breach check, traces and error reports go to one server. */
const receiversAt = (url: string) => ({
  APP_AUTH__BREACH_CHECK__URL: `${url}/range`,
  APP_TRACING__ENDPOINT: url,
  APP_TRACING__HEADERS: 'x-api-key=secret',
  APP_ERRORS__DSN: url.replace('http://', 'http://key@').concat('/1'),
})

/** A server that answers each request with a status, and what it was asked. */
async function startReceiver(t: Test, status: number) {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const { method, url = '', headers } = request
    asked.push(
      `${method} ${url.replace(/range\/[0-9A-F]{5}$/, 'range/PREFIX')} ${headers['x-api-key'] ?? ''} ${body}`,
    )
    response.writeHead(status).end()
  })
  return { url: await listenOn(t, server), asked }
}

t.test('receivers that are away, refuse, or are as they should be', async (t) => {
  const { url: database } = await createTestDatabase(t)
  const look = (url: string, more = {}) =>
    findings(t, { APP_DATABASE__URL: database, ...receiversAt(url), ...more })

  const away = `http://127.0.0.1:${await freePort()}`
  t.match(await look(away), [
    /^problem breach check: The breach check does not work: connect ECONNREFUSED .* HTTPS_PROXY/,
    /^problem error reports: http:\/\/127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED/,
    /^problem traces: Traces cannot be sent: connect ECONNREFUSED/,
  ])
  t.match(await look(away, { APP_AUTH__BREACH_CHECK__URL: '', APP_WEBHOOKS__PROXY_URL: away }), [
    /^problem configuration: APP_AUTH__BREACH_CHECK__URL/,
    /^unchecked breach check/,
    /^problem error reports/,
    /^problem outgoing proxy: The proxy of webhooks\.proxy_url, 127\.0\.0\.1:\d+, cannot be reached/,
    /^problem traces/,
  ])

  const refuses = await startReceiver(t, 401)
  t.match(await look(refuses.url), [
    /^problem breach check: The breach check does not work: the breach check was answered with status 401/,
    /^problem traces: Traces are refused: status 401 .*APP_TRACING__HEADERS/,
  ])

  const takes = await startReceiver(t, 200)
  t.same(await look(takes.url, { APP_WEBHOOKS__PROXY_URL: takes.url }), [])
  t.same(takes.asked.toSorted(), [
    'GET /  ',
    'GET /range/PREFIX  ',
    'POST /v1/traces secret {"resourceSpans":[]}',
  ])
})
