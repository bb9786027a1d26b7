import { createHash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import type { Config } from '#config/schema/schema.ts'
import { SYSTEM } from '#lib/context.ts'
import type { Database } from '#lib/database/database.ts'
import {
  PasswordBreached,
  PasswordCheckUnavailable,
  PasswordHoldsIdentity,
  PasswordTooCommon,
} from '#services/passwords/errors.ts'
import { assertAcceptable, type PasswordPolicyContext } from '#services/passwords/policy.ts'
import { startRangeService } from './range-service.ts'

const owner = { email: 'ada.lovelace+news@example.com', username: 'Countess' }

/** The policy asks the database nothing, and must not: it may wait for another service. */
const noDatabase: Database = {
  query: () => Promise.reject(new Error('the policy asked the database')),
  transaction: () => Promise.reject(new Error('the policy opened a transaction')),
}

function context(settings: Partial<Config['auth']['breach_check']> = {}) {
  const warnings: object[] = []
  const ctx: PasswordPolicyContext = {
    db: noDatabase,
    log: { info: () => undefined, warn: (fields) => warnings.push(fields), error: () => undefined },
    now: () => new Date(),
    client: { ip: '127.0.0.1', userAgent: null, actor: SYSTEM, requestId: null },
    marker: { mark: (bytes: Buffer) => bytes },
    passwordPolicy: {
      password_words: ['groundwork', 'Großhandel', 'abc'],
      breach_check: { timeout: 5_000, on_error: 'closed', ...settings },
    },
  }
  return { ctx, warnings }
}

const check = (password: string, ctx = context().ctx) => assertAcceptable(ctx, password, owner)

t.test('common passwords are refused in any case', async (t) => {
  for (const password of ['password1', 'Password1', '12345678', 'TRUSTNO1', 'qwertyuiop', 'iloveyou']) {
    await t.rejects(check(password), PasswordTooCommon, password)
  }
  t.match(PasswordTooCommon.definition, { code: 'password_too_common', status: 400 })
  await check('correct horse battery staple')
  await check('password1 and then some')
})

t.test('a password holds neither its owner nor the service', async (t) => {
  const refused = [
    'xxcountessxx',
    'my COUNTESS 1815',
    'ada.lovelace+news is me',
    'Ada.Lovelace rules',
    'groundwork forever',
    'im GROSSHANDEL'.replace('SS', 'ß'),
  ]
  for (const password of refused) await t.rejects(check(password), PasswordHoldsIdentity, password)
  t.match(PasswordHoldsIdentity.definition, { code: 'password_holds_identity', status: 400 })
  for (const password of ['ada and lovelace', 'news of the day', 'example.com is it', 'abc of the sea']) {
    await check(password)
  }
})

t.test('short names stand in too many words to matter', async () => {
  await assertAcceptable(context().ctx, 'bob builds boats', { email: 'bo@example.com', username: 'bob' })
})

t.test('composed and decomposed letters are the same', async (t) => {
  const zoe = { email: 'zoe\u0308bell@example.com', username: 'someone' }
  const { ctx } = context()
  await t.rejects(assertAcceptable(ctx, 'I am ZO\u00cbBELL', zoe), PasswordHoldsIdentity)
})

const PASSWORD = 'known from a breach'
const HASH = createHash('sha1').update(PASSWORD).digest('hex').toUpperCase()
const OTHER = `${'0'.repeat(34)}A:3`

t.match(PasswordBreached.definition, { code: 'password_breached', status: 400 })

const ranges: Record<string, { lines: string[]; breached: boolean }> = {
  'the only one': { lines: [`${HASH.slice(5)}:1`], breached: true },
  'one of several': { lines: [OTHER, `${HASH.slice(5)}:4711`, ''], breached: true },
  'in small letters': { lines: [`${HASH.slice(5).toLowerCase()}:2`], breached: true },
  padding: { lines: [OTHER, `${HASH.slice(5)}:0`], breached: false },
  'only others': { lines: [OTHER], breached: false },
  'nothing at all': { lines: [], breached: false },
}

for (const [name, { lines, breached }] of Object.entries(ranges)) {
  t.test(`a range that holds ${name}`, async (t) => {
    const { url, requests } = await startRangeService(t, (_request, response) =>
      response.end(lines.join('\r\n')),
    )
    const { ctx, warnings } = context({ url })
    if (breached) await t.rejects(check(PASSWORD, ctx), PasswordBreached)
    else await check(PASSWORD, ctx)
    t.same(warnings, [])
    const [request] = requests
    t.equal(request?.url, `/range/${HASH.slice(0, 5)}`)
    t.equal(request?.headers['add-padding'], 'true')
    t.notMatch(JSON.stringify(requests), new RegExp(`${HASH.slice(5, 12)}|known from`, 'i'), 'no more leaves')
  })
}

t.test('nobody is asked about a password that is refused anyway', async (t) => {
  const { url, requests } = await startRangeService(t, (_request, response) => response.end(''))
  const { ctx } = context({ url })
  await t.rejects(check('password1', ctx), PasswordTooCommon)
  await t.rejects(check('my countess 1815', ctx), PasswordHoldsIdentity)
  t.same(requests, [])
})

const hash: RequestListener = (_request, response) => response.end(`${HASH.slice(5)}:9`)

/** Ways to fail; each would say "breached" if it were taken for an answer. */
const failures: Record<string, RequestListener> = {
  'is broken': (_request, response) => response.writeHead(500).end(`${HASH.slice(5)}:9`),
  'is busy': (_request, response) => response.writeHead(429).end(`${HASH.slice(5)}:9`),
  'sends elsewhere': (request, response) => {
    if (request.url?.startsWith('/elsewhere')) hash(request, response)
    else response.writeHead(302, { location: '/elsewhere' }).end()
  },
  'sends garbage': (_request, response) => response.end(`<html>\n${HASH.slice(5)}:9\n</html>`),
  'sends bytes': (_request, response) => response.end(Buffer.alloc(1000, 0xff)),
  'sends too much': (_request, response) => {
    const line = Buffer.from(`${OTHER}\n`.repeat(1000))
    const more = () => {
      while (response.write(line));
    }
    response.on('drain', more)
    more()
  },
  // All of it comes in time, and can be read.
  'sends a little too much': (_request, response) => response.end(`${OTHER}\n`.repeat(30_000)),
  'hangs up': (request) => request.socket.destroy(),
  'never answers': () => undefined,
  'never ends': (_request, response) => response.write(`${HASH.slice(5)}:9\n`),
}

for (const [name, listener] of Object.entries(failures)) {
  t.test(`a service that ${name}`, async (t) => {
    const { url } = await startRangeService(t, listener)
    await failsAsConfigured(t, { url, timeout: name.startsWith('never') ? 50 : 10_000 })
  })
}

t.test('a service that is not there', async (t) => {
  await failsAsConfigured(t, { url: 'http://127.0.0.1:1/range' })
})

async function failsAsConfigured(t: Test, settings: Partial<Config['auth']['breach_check']>): Promise<void> {
  const closed = context({ ...settings, on_error: 'closed' })
  const error = await t.rejects(check(PASSWORD, closed.ctx), PasswordCheckUnavailable)
  t.match(error, { retryAfter: 30, cause: Error, definition: { status: 503 } })
  t.same(closed.warnings, [])
  const open = context({ ...settings, on_error: 'open' })
  await check(PASSWORD, open.ctx)
  t.match(open.warnings, [{ err: Error }])
}
