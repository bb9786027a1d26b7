/**
 * Measures whether a login with an unknown address can be told from one with a wrong password by its time:
 * `npm run timing -- [--pairs 500]` starts a service of its own on an empty embedded PostgreSQL;
 * `--url https://...` asks one that runs, whose auth.login_limit must allow the attempts; it registers accounts
 * there, unless existing ones are named by `--email` (any number of times).
 * Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { offerHelp, runCommand } from './run-command.ts'

const USAGE = 'Usage: npm run timing -- [--pairs <n>] [--url <service> [--email <account>]...]\n'

offerHelp(USAGE)

const DIRECTORY = join(import.meta.dirname, '../.data/timing')

/** Attempts for one address: as many as the default limit bears. */
const PER_ADDRESS = 10
/** Most pairs before the first that counts, in which both sides warm up. */
const WARM_UP = 20

/** The service answered in a way that leaves nothing to measure. */
class MeasurementError extends Error {
  override readonly name = 'MeasurementError'
}

interface Arguments {
  pairs: number
  url: string | undefined
  emails: string[]
}

await runCommand(parseArguments(process.argv.slice(2)), USAGE, async (args) => {
  process.stdout.write(args.url === undefined ? await measureOwn(args) : await measure(args.url, args))
})

function parseArguments(args: string[]): Arguments | undefined {
  const options = {
    pairs: { type: 'string', default: '500' },
    url: { type: 'string' },
    email: { type: 'string', multiple: true },
  } as const
  try {
    const { pairs, url, email: emails = [] } = parseArgs({ args, options }).values
    const fits = url === undefined ? emails.length === 0 : /^https?:/.test(url) && URL.canParse(url)
    if (!fits || !/^[1-9]\d{0,5}$/.test(pairs)) return undefined
    return { pairs: Number(pairs), url: url?.replace(/\/$/, ''), emails }
  } catch {
    return undefined
  }
}

/** Starts a service whose limits allow the attempts, on a database of its own. */
async function measureOwn(options: Arguments): Promise<string> {
  // Only here, for who asks a service that runs needs none of it.
  const { buildApp } = await import('#app.ts')
  const { loadConfig } = await import('#config/load.ts')
  const { startEmbeddedPostgres } = await import('#lib/embedded-postgres/embedded-postgres.ts')
  const database = await startEmbeddedPostgres({ directory: DIRECTORY, fresh: true })
  try {
    const { config } = loadConfig({
      env: {
        ...process.env,
        APP_DATABASE__URL: database.url,
        APP_DATABASE__MIGRATE_ON_START: 'true',
        APP_LOG__LEVEL: 'silent',
        APP_AUTH__REGISTRATION: 'open',
        APP_AUTH__LOGIN_LIMIT__PER_ACCOUNT: '1000000',
        APP_AUTH__LOGIN_LIMIT__PER_ADDRESS: '1000000',
        APP_RATE_LIMIT__ENABLED: 'false',
      },
    })
    const app = await buildApp(config)
    try {
      return await measure(await app.listen({ host: '127.0.0.1', port: 0 }), options)
    } finally {
      await app.close()
    }
  } finally {
    await database.stop()
  }
}

async function measure(url: string, { pairs, emails }: Arguments): Promise<string> {
  const warmUp = Math.min(WARM_UP, pairs)
  const count = Math.ceil((pairs + warmUp) / PER_ADDRESS)
  // The unknown addresses come back as often as the known ones, for attempts are counted for both.
  const unknown = Array.from({ length: count }, randomEmail)
  const known = emails.length > 0 ? emails : await register(url, count)
  const times: { unknown: number[]; wrong: number[] } = { unknown: [], wrong: [] }
  for (let i = 0; i < pairs + warmUp; i++) {
    const attempts = [
      { kind: 'unknown', email: unknown[i % unknown.length] },
      { kind: 'wrong', email: known[i % known.length] },
    ] as const
    for (const { kind, email } of i % 2 === 0 ? attempts : attempts.toReversed()) {
      const time = await timeLogin(url, { email, password: randomPassword() })
      if (i >= warmUp) times[kind].push(time)
    }
  }
  return report(times)
}

async function register(url: string, count: number): Promise<string[]> {
  const emails = Array.from({ length: count }, randomEmail)
  for (const email of emails) {
    const username = email.slice(0, email.indexOf('@'))
    const { status, body } = await post(`${url}/api/v1/users`, {
      email,
      username,
      password: randomPassword(),
    })
    if (status !== 201)
      throw new MeasurementError(`No account was made, so name some by --email: ${status} ${body}`)
  }
  return emails
}

/** Returns the milliseconds until the whole response had arrived. */
async function timeLogin(url: string, credentials: object): Promise<number> {
  const start = performance.now()
  const { status, body } = await post(`${url}/api/v1/auth/login`, credentials)
  const time = performance.now() - start
  if (status === 401) return time
  const advice = status === 429 ? ' Raise auth.login_limit of the service for the measurement.' : ''
  throw new MeasurementError(`A login was answered with ${status} in place of 401.${advice}\n${body}`)
}

async function post(url: string, body: object): Promise<{ status: number; body: string }> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, body: await response.text() }
}

function randomEmail(): string {
  return `timing-${randomBytes(8).toString('hex')}@example.com`
}

function randomPassword(): string {
  return randomBytes(12).toString('base64url')
}

function report({ unknown, wrong }: { unknown: number[]; wrong: number[] }): string {
  const difference = quantile(wrong, 0.5) - quantile(unknown, 0.5)
  const share = (100 * difference) / quantile(unknown, 0.5)
  const line = (name: string, times: number[]) =>
    `${name} ${[0.5, 0.25, 0.75].map((q) => quantile(times, q).toFixed(3).padStart(9)).join(' ')}\n`
  return [
    `${unknown.length} pairs, milliseconds\n`,
    `${' '.repeat(15)} ${['median', '1st quart', '3rd quart'].map((name) => name.padStart(9)).join(' ')}\n`,
    line('unknown address', unknown),
    line('wrong password ', wrong),
    `difference      ${difference.toFixed(3).padStart(9)} (${share.toFixed(2)} %)\n`,
  ].join('')
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const [below = 0, above = 0] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return below + (above - below) * (at - Math.floor(at))
}
