import t from 'tap'
import { type ErrorReport, envelope } from '#lib/error-reports/event.ts'

const RELEASE = { version: '1.2.3', environment: 'production' }
const TRACE = { trace_id: '0'.repeat(31).concat('1'), span_id: '0'.repeat(15).concat('2') }
const REPORT: ErrorReport = {
  type: 'TypeError',
  code: undefined,
  fingerprint: '0123456789abcdef',
  frames: [
    { function: 'inner', file: 'node_modules/pg/lib/client.js', line: 7, isOwn: false },
    { function: 'outer', file: 'services/users/users.ts', line: 9, isOwn: true },
  ],
  message: 'it broke',
  operation: 'getUser',
  level: 'error',
}

/** The three lines of an envelope, read. */
function read(report: ErrorReport, redact = (json: string) => json) {
  const [header = '', item = '', event = '', end] = envelope(report, RELEASE, redact).split('\n')
  return { header: JSON.parse(header), item: JSON.parse(item), event: JSON.parse(event), text: event, end }
}

t.test('a report becomes an event of Sentry', async (t) => {
  const { header, item, event, text, end } = read(REPORT)
  const { event_id, timestamp, ...rest } = event
  t.match(event_id, /^[0-9a-f]{32}$/)
  t.strictSame(header, { event_id, sent_at: new Date(timestamp * 1000).toISOString() })
  t.strictSame(item, { type: 'event', content_type: 'application/json', length: Buffer.byteLength(text) })
  t.equal(end, '', 'the last line ends, too')
  t.strictSame(rest, {
    platform: 'node',
    level: 'error',
    logger: 'groundwork',
    release: 'groundwork@1.2.3',
    environment: 'production',
    transaction: 'getUser',
    fingerprint: ['0123456789abcdef'],
    tags: { operation: 'getUser' },
    exception: {
      values: [
        {
          type: 'TypeError',
          value: 'it broke',
          stacktrace: {
            frames: [
              { function: 'outer', filename: 'services/users/users.ts', lineno: 9, in_app: true },
              { function: 'inner', filename: 'node_modules/pg/lib/client.js', lineno: 7, in_app: false },
            ],
          },
        },
      ],
    },
  })
  t.not(read(REPORT).event.event_id, event_id)
})

t.test('it has what is known besides, and nothing that a text of JSON may not hold', async (t) => {
  const report = { ...REPORT, code: '23505', status: 503, requestId: 'req-1', trace: TRACE }
  const { event } = read(report)
  t.strictSame(event.tags, { operation: 'getUser', code: '23505', status: '503', request_id: 'req-1' })
  t.strictSame(event.contexts, { trace: TRACE })
  const redacted = read({ ...REPORT, message: 'ü hush' }, (json) => json.replace('hush', '***'))
  t.equal(redacted.event.exception.values[0].value, 'ü ***')
  t.equal(redacted.item.length, Buffer.byteLength(redacted.text), 'the length is of what is sent')
})

t.test('a message is cut, and names no address', async (t) => {
  const messages: [message: string, sent: string][] = [
    ['x'.repeat(1001), 'x'.repeat(1000)],
    ['for ada.b+c@mail.example.com, "eve@example.org"', 'for [address], "[address]"'],
    ['from 203.0.113.9:80 to 2001:db8::1', 'from [address]:80 to [address]'],
    ['at 12:30, version 1.2.3, a@b', 'at 12:30, version 1.2.3, a@b'],
  ]
  for (const [message, sent] of messages) {
    t.equal(read({ ...REPORT, message }).event.exception.values[0].value, sent)
  }
})
