import t, { type Test } from 'tap'
import type { ErrorReport } from '#lib/error-reports/event.ts'
import { Reporter, type ReportOutcome } from '#lib/error-reports/reporter.ts'
import { startRawReceiver, startReceiver } from '#test/support/http-receiver.ts'

const REPORT: ErrorReport = {
  type: 'Error',
  code: undefined,
  fingerprint: 'one',
  frames: [],
  message: 'it broke',
  operation: 'getUser',
  level: 'error',
}

/** A reporter to a URL, what became of its reports, and a clock that the test moves. */
function reporterTo(t: Test, url: string, credentials = 'key') {
  const clock = { ms: 1_000_000 }
  t.intercept(performance, 'now', { value: () => clock.ms })
  const outcomes: ReportOutcome[] = []
  const reporter = new Reporter({
    dsn: `${url.replace('//', `//${credentials}@`)}/42`,
    version: '1.2.3',
    environment: 'test',
    redact: (json) => json.replaceAll('it broke', '***'),
    finished: (outcome) => outcomes.push(outcome),
  })
  const report = (fingerprint: string, level: ErrorReport['level'] = 'error') =>
    reporter.report({ ...REPORT, fingerprint, level })
  /** Those since the last call, once all are sent. */
  const flushed = async () => {
    await reporter.flush(60_000)
    return outcomes.splice(0)
  }
  return { clock, reporter, report, outcomes, flushed }
}

/** A receiver that answers with a status, and with 0 not at all. */
async function answering(t: Test) {
  const state: { status: number; headers: Record<string, string> } = { status: 200, headers: {} }
  const { url, received, answer } = await startReceiver(t)
  answer((response) => {
    if (state.status !== 0) response.writeHead(state.status, state.headers).end('{}')
  })
  return { url, received, state }
}

t.test('a report goes to the place that the DSN names, with its key', async (t) => {
  const { url, received } = await answering(t)
  const { report, flushed } = reporterTo(t, url)
  report('one')
  t.strictSame(await flushed(), ['sent'])
  const old = reporterTo(t, url, 'key:secret')
  old.report('one')
  t.strictSame(await old.flushed(), ['sent'])
  const [first, second] = received
  t.match(first, { method: 'POST', url: '/in/api/42/envelope/' })
  t.match(first?.headers, {
    'content-type': 'application/x-sentry-envelope',
    'content-length': String(Buffer.byteLength(first?.body ?? '')),
    'user-agent': 'groundwork/1.2.3',
    'x-sentry-auth': 'Sentry sentry_version=7, sentry_client=groundwork/1.2.3, sentry_key=key',
  })
  t.match(first?.body, '"value":"***"')
  t.match(second?.headers['x-sentry-auth'], /sentry_key=key, sentry_secret=secret$/)
})

t.test('one of a kind a minute, and sixty of all kinds, but what ends the process always', async (t) => {
  const { url, received } = await answering(t)
  const { clock, report, flushed } = reporterTo(t, url)
  const sent = (count: number): ReportOutcome[] => Array.from({ length: count }, () => 'sent')
  report('0')
  report('0')
  t.strictSame(await flushed(), ['dropped', 'sent'])
  for (let kind = 1; kind < 60; kind++) {
    if (kind % 30 === 0) t.strictSame(await flushed(), sent(29))
    report(String(kind))
  }
  t.strictSame(await flushed(), sent(30))
  report('60')
  report('0', 'fatal')
  t.strictSame(await flushed(), ['dropped', 'sent'])
  clock.ms += 60_000
  report('60')
  t.strictSame(await flushed(), ['dropped'], 'the minute is not over')
  clock.ms += 1
  report('0')
  report('60')
  t.strictSame(await flushed(), sent(2))
  t.equal(received.length, 63)
})

t.test('fifty wait for a receiver that hangs, and the end does not', async (t) => {
  const { url, state } = await answering(t)
  state.status = 0
  const { reporter, report, outcomes } = reporterTo(t, url)
  for (let kind = 0; kind < 51; kind++) report(String(kind))
  t.strictSame(outcomes, [])
  report('51')
  t.strictSame(outcomes, ['dropped'])
  report('0', 'fatal')
  await reporter.flush(1)
  t.strictSame(outcomes, ['dropped'])
})

t.test('a receiver that refuses is left alone, as long as it says or for a minute', async (t) => {
  const { url, received, state } = await answering(t)
  const { clock, report, flushed } = reporterTo(t, url)
  const pauses: [headers: Record<string, string>, ms: number][] = [
    [{ 'retry-after': '5' }, 5000],
    [{}, 60_000],
    [{ 'retry-after': '0' }, 60_000],
    [{ 'retry-after': 'soon' }, 60_000],
  ]
  for (const [headers, ms] of pauses) {
    const said = JSON.stringify(headers)
    Object.assign(state, { status: 429, headers })
    report(`refused ${said}`)
    t.strictSame(await flushed(), ['failed'], said)
    state.status = 200
    clock.ms += ms - 1
    report(`early ${said}`)
    t.strictSame(await flushed(), ['dropped'], said)
    clock.ms += 1
    report(`late ${said}`)
    t.strictSame(await flushed(), ['sent'], said)
  }
  t.equal(received.length, 8)
})

t.test('a failure is counted, and the next report is sent', async (t) => {
  const { url, state } = await answering(t)
  const { report, flushed } = reporterTo(t, url)
  for (const status of [500, 202]) {
    state.status = status
    report(`status ${status}`)
    t.strictSame(await flushed(), ['failed'], `${status}`)
  }
  state.status = 200
  report('fine')
  t.strictSame(await flushed(), ['sent'])
  const broken = await startRawReceiver(t, (socket) => {
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}')
  })
  const cut = reporterTo(t, broken)
  cut.report('an answer that is cut off')
  t.strictSame(await cut.flushed(), ['failed'])
})

t.test('a DSN with https is spoken to in TLS', async (t) => {
  const bytes: number[] = []
  const url = await startRawReceiver(t, (socket) => {
    socket.once('data', (data) => {
      bytes.push(Number(data[0]))
      socket.destroy()
    })
  })
  const { report, flushed } = reporterTo(t, url.replace('http:', 'https:'))
  report('one')
  t.strictSame(await flushed(), ['failed'])
  t.strictSame(bytes, [0x16], 'the first is of a handshake')
})
