// Among the first, because it takes long.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '#test/support/eventually.ts'
import type { LogRecord } from '#test/support/helper.ts'
import { isProblem, type RawResponse } from '#test/support/raw-http.ts'
import type { HostileCase } from './case.ts'
import { COLUMNS } from './cases/mass-assignment.ts'
import { examine, glance } from './examine.ts'
import { fill, send } from './send.ts'
import { type HostileService, startHostileService } from './service.ts'

const CASES = join(import.meta.dirname, 'cases')

/** Texts that no reply may contain, whatever was sent. */
const INTERNAL = /\$argon2|node_modules|\.ts:|at \w+ \(|FST_|HPE_|ERR_|SQLSTATE|SyntaxError|SELECT |pg_/

/** Planted by cases where secrets are; must not come out anywhere. */
const CANARY = /canary/i

/** A request that was refused, and so has a line in the log. */
interface Refused {
  name: string
  id: string
  status: number
}

t.test('the catalogue of hostile input', async (t) => {
  const target = await startHostileService(t)
  let count = 0

  for (const file of (await readdir(CASES)).sort()) {
    const { cases }: { cases: readonly HostileCase[] } = await import(join(CASES, file))
    count += cases.length
    await t.test(file, async (t) => {
      const refused: Refused[] = []
      for (const one of cases) {
        await t.test(printable(one.name), async (t) => {
          refused.push(...(await check(t, target, one)))
        })
      }
      await t.test('and the log says so', (t) => checkLog(t, target, refused))
      await t.test('and the service is well', (t) => examine(t, target))
    })
  }

  t.ok(count >= 150, `there are ${count} cases`)
  t.notMatch(target.service.stdout(), CANARY, 'no secret is in the log')
  const jobs = await target.db.query('SELECT data::text FROM pgboss.job')
  t.notMatch(JSON.stringify(jobs), /evil/, 'no link will lead where a client wanted')

  const columns = await target.db.query<{ column_name: string }>(
    "SELECT column_name FROM information_schema.columns WHERE table_name = 'users'",
  )
  t.strictSame(
    columns.map(({ column_name }) => column_name).sort(),
    Object.keys(COLUMNS).sort(),
    'mass-assignment.ts knows every column',
  )
})

async function check(t: Test, target: HostileService, one: HostileCase): Promise<Refused[]> {
  const before = await state(target)
  const { received, replies } = await send(target, one)
  const expected = [one.status].flat()
  t.strictSame(
    replies.map(({ status }) => status),
    expected,
    'status',
  )
  t.notMatch(received, INTERNAL, 'nothing internal')
  t.notMatch(received, CANARY, 'no secret')
  for (const text of one.absent ?? []) t.notOk(received.includes(fill(target, text)), printable(`no ${text}`))
  const last = replies.at(-1)
  if (last) checkReply(t, target, one, last)
  if (expected.every((status) => status >= 400)) t.equal(await state(target), before, 'no trace is left')
  await glance(t, target)
  return last && one.code
    ? [{ name: one.name, id: last.headers['x-request-id'] ?? '', status: last.status }]
    : []
}

function checkReply(t: Test, target: HostileService, one: HostileCase, reply: RawResponse): void {
  if (one.code !== undefined) isProblem(t, reply, reply.status, one.code)
  else t.ok(reply.status < 400 || reply.body === '', 'an error says which')
  if (one.pointers) {
    const { errors }: { errors: { pointer: string }[] } = JSON.parse(reply.body)
    t.strictSame([...new Set(errors.map(({ pointer }) => pointer))].sort(), one.pointers)
  }
  for (const [name, value] of Object.entries(one.headers ?? {})) {
    t.equal(reply.headers[name] ?? null, value === null ? null : fill(target, value), name)
  }
  if (one.body !== undefined) {
    const text = JSON.stringify(one.body)
    t.match(JSON.parse(reply.body), JSON.parse(fill(target, text)))
  }
}

/** Each refused request has one line of the log, which says what the client was told, and who it was. */
async function checkLog(t: Test, { service }: HostileService, refused: readonly Refused[]): Promise<void> {
  const lines = new Map<unknown, LogRecord[]>()
  await eventually(async () => {
    lines.clear()
    for (const line of service.logs()) {
      const { request_id } = line
      lines.set(request_id, [...(lines.get(request_id) ?? []), line])
    }
    return refused.every(({ id }) => lines.has(id))
  })
  for (const { name, id, status } of refused) {
    const found = (lines.get(id) ?? []).map((line) => [line['level'], line['status'], line['remote_address']])
    t.strictSame(found, [['info', status, '127.0.0.1']], printable(name))
  }
}

/** Text that nothing which shows the results of tests can take for anything else. */
function printable(text: string): string {
  return JSON.stringify(text.slice(0, 80))
    .slice(1, -1)
    .replace(/[^ -~]|#/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** All that requests can change, but for the counts of wrong passwords and the record of what happened. */
async function state({ db }: HostileService): Promise<string> {
  const tables = ['users', 'sessions', 'refresh_tokens', 'one_time_tokens', 'registrations']
  const digests = tables.map(
    (table) => `SELECT md5(coalesce(string_agg(row::text, ';' ORDER BY row::text), '')) FROM ${table} AS row`,
  )
  const jobs = "SELECT count(*)::text FROM pgboss.job WHERE name NOT LIKE '\\_\\_pgboss%'"
  const rows = await db.query<{ md5: string }>([...digests, jobs].join(' UNION ALL '))
  return rows.map(({ md5 }) => md5).join(' ')
}
