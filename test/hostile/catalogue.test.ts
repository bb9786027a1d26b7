import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { eventually } from '../eventually.ts'
import { isProblem, type RawResponse } from '../plugins/raw-http.ts'
import type { HostileCase } from './case.ts'
import { examine, glance } from './examine.ts'
import { fill, send } from './send.ts'
import { type HostileService, startHostileService } from './service.ts'

const CASES = join(import.meta.dirname, 'cases')

/** What no reply may hold, whatever was sent. */
const INTERNAL = /\$argon2|node_modules|\.ts:|at \w+ \(|FST_|HPE_|ERR_|SQLSTATE|SyntaxError|SELECT |pg_/

/** Planted by cases where secrets are; must not come out anywhere. */
export const CANARY = /canary/i

t.test('the catalogue of hostile input', async (t) => {
  const target = await startHostileService(t)
  let count = 0

  for (const file of (await readdir(CASES)).sort()) {
    const { cases }: { cases: readonly HostileCase[] } = await import(join(CASES, file))
    count += cases.length
    await t.test(file, async (t) => {
      for (const one of cases) await t.test(one.name, (t) => check(t, target, one))
      await t.test('and the service is well', (t) => examine(t, target))
    })
  }

  t.ok(count >= 150, `there are ${count} cases`)
  t.notMatch(target.service.stdout(), CANARY, 'no secret is in the log')
  const jobs = await target.db.query('SELECT data::text FROM pgboss.job')
  t.notMatch(JSON.stringify(jobs), /evil/, 'no link will lead where a client wanted')
})

async function check(t: Test, target: HostileService, one: HostileCase): Promise<void> {
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
  for (const text of one.absent ?? []) t.notOk(received.includes(fill(target, text)), `without ${text}`)
  const last = replies.at(-1)
  if (last) await checkReply(t, target, one, last)
  if (expected.every((status) => status >= 400)) t.equal(await state(target), before, 'no trace is left')
  await glance(t, target)
}

async function checkReply(t: Test, target: HostileService, one: HostileCase, reply: RawResponse) {
  if (one.code !== undefined) {
    isProblem(t, reply, reply.status, one.code)
    const lines = await linesOf(target, reply.headers['x-request-id'] ?? '')
    t.match(lines, [{ level: 'info', status: reply.status, remote_address: '127.0.0.1' }])
  } else {
    t.ok(reply.status < 400 || one.body !== undefined || reply.body === '', 'an error says which')
  }
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

/** The lines of the log about a request, once there is one. */
async function linesOf({ service }: HostileService, id: string) {
  const marker = `"request_id":${JSON.stringify(id)}`
  await eventually(async () => service.stdout().includes(marker))
  return service.logs().filter(({ request_id }) => request_id === id)
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
