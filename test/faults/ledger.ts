import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { QueryResultRow } from 'pg'
import type { Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { eventually } from '#test/support/eventually.ts'
import { type Answer, type CallOptions, call } from '#test/support/http.ts'

/** One write, and what the client knows of it. */
export interface Entry {
  /** The write's id: the name and the address of the user that it makes. */
  readonly id: string
  /** The status of the answer; 0 when none came. */
  readonly status: number
  readonly answer: Answer | undefined
  readonly error: unknown
}

/** Seconds that a load gets to grow in; a busy machine writes slowly. */
const PATIENCE = 120

/** Milliseconds between a refused write and the next of the same writer. */
const REFUSED_PAUSE = 20

export interface LoadOptions {
  /** Where to send writes; asked before each, so that it may change. */
  target: () => string
  /** An admin's. */
  token: string
  /** Writes under way at once. */
  writers?: number
  /** Milliseconds after which a writer leaves, asked before each write; without it they wait for the answer. */
  patience?: () => number
}

export interface Load {
  /** Results so far. */
  readonly entries: readonly Entry[]
  /** How many answers had this status so far; 0 for no answer. */
  count(status: number): number
  /** Waits until so many more writes have been acknowledged. */
  acknowledges(more: number): Promise<void>
  /** Waits until that many more writes have failed: no answer, or any other than 2xx. */
  fails(more: number): Promise<void>
  /** Sends nothing more, and waits for what is under way. */
  stop(): Promise<void>
}

/** Sends one write: an invitation, which is a user, a token and a job in one transaction, and costs no hash. */
export function write(
  url: string,
  token: string,
  id: string,
  options: Pick<CallOptions, 'agent' | 'signal'> = {},
): Promise<Answer> {
  const json = { email: `${id}@example.com`, username: id }
  return call(`${url}/api/v1/users/invitations`, { method: 'POST', token, json, ...options })
}

/** An id for a write, which no other has. */
export function writeId(): string {
  return `w${uuidv7().replaceAll('-', '')}`
}

/** Begins to write, over connections that are kept alive, as fast as the answers come; at most until `t` ends. */
export function startLoad(t: Test, { target, token, writers = 8, patience }: LoadOptions): Load {
  const entries: Entry[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: writers })
  let going = true
  async function attempt(id: string): Promise<Entry> {
    try {
      const answer = await write(target(), token, id, {
        agent,
        ...(patience ? { signal: AbortSignal.timeout(patience()) } : {}),
      })
      return { id, status: answer.status, answer, error: undefined }
    } catch (error) {
      return { id, status: 0, answer: undefined, error }
    }
  }
  async function run(): Promise<void> {
    while (going) {
      const id = writeId()
      const entry = await attempt(id)
      entries.push(entry)
      // Refusals come fast, and are not what the machine is to be busy with.
      if (!isAcknowledged(entry)) await sleep(REFUSED_PAUSE)
    }
  }
  const running = Promise.all(Array.from({ length: writers }, run))
  const acknowledged = () => entries.filter(isAcknowledged).length
  const failed = () => entries.length - acknowledged()
  const grows = async (value: () => number, more: number) => {
    const goal = value() + more
    await eventually(async () => value() >= goal, PATIENCE)
  }
  const stop = async () => {
    going = false
    await running
    agent.destroy()
  }
  t.teardown(stop)
  return {
    entries,
    count: (status) => entries.filter((entry) => entry.status === status).length,
    acknowledges: (more) => grows(acknowledged, more),
    fails: (more) => grows(failed, more),
    stop,
  }
}

/** Where the audit looks. */
interface Auditable {
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
}

/** Rows of one write. */
interface Trace extends QueryResultRow {
  id: string
  users: number
  tokens: number
  jobs: number
}

/** Counts. A user's job and token are looked for by what they hold of it, so that half a write is seen. */
const TRACES = `
  SELECT u.username AS id, count(*)::int AS users,
         (SELECT count(*)::int FROM one_time_tokens t WHERE t.user_id = ANY (array_agg(u.id))) AS tokens,
         (SELECT count(*)::int FROM pgboss.job j
          WHERE j.name = 'send_mail' AND j.data->'message'->>'to' = u.email) AS jobs
  FROM users u WHERE u.username LIKE 'w%' GROUP BY u.username, u.email`

/** Jobs whose user is not there. */
const ORPHANS = `
  SELECT j.data->'message'->>'to' AS address FROM pgboss.job j
  WHERE j.name = 'send_mail' AND j.data->'message'->>'template' = 'choose-password'
    AND NOT EXISTS (SELECT FROM users u WHERE u.email = j.data->'message'->>'to')`

/** Counts of an audit. */
export interface Balance {
  /** Acknowledged, and there. */
  acknowledged: number
  /** Not acknowledged (no answer, or a 503), though it was done. */
  unacknowledged: number
  refused: number
  lost: number
}

/**
 * Closes the books: a write with a 2xx is there exactly once, whole; one with a 4xx is not there; one without
 * an answer, or with a 5xx, at most once; and nothing is there that nobody wrote.
 */
export async function audit(t: Test, load: Pick<Load, 'entries'>, db: Auditable): Promise<Balance> {
  const traces = new Map((await db.query<Trace>(TRACES)).map((trace) => [trace.id, trace]))
  const balance: Balance = { acknowledged: 0, unacknowledged: 0, refused: 0, lost: 0 }
  const faults: object[] = []
  for (const entry of load.entries) {
    const trace = traces.get(entry.id)
    traces.delete(entry.id)
    balance[outcomeOf(entry, trace)]++
    const fault = faultOf(entry, trace)
    if (fault !== undefined) faults.push({ ...trace, id: entry.id, status: entry.status, fault })
  }
  for (const id of traces.keys()) faults.push({ id, fault: 'there, and nobody wrote it' })
  t.same(faults.slice(0, 10), [], `the ledger: ${JSON.stringify(balance)}`)
  t.same(await db.query(ORPHANS), [], 'no job without its user')
  t.ok(balance.acknowledged > 0, 'something was written')
  return balance
}

function isAcknowledged({ status }: Entry): boolean {
  return status >= 200 && status < 300
}

function outcomeOf(entry: Entry, trace: Trace | undefined): keyof Balance {
  if (trace === undefined) return isAcknowledged(entry) ? 'lost' : 'refused'
  return isAcknowledged(entry) ? 'acknowledged' : 'unacknowledged'
}

function faultOf(entry: Entry, trace: Trace | undefined): string | undefined {
  if (trace === undefined) return isAcknowledged(entry) ? 'acknowledged, and not there' : undefined
  if (entry.status >= 400 && entry.status < 500) return 'refused, and there'
  const isWhole = trace.users === 1 && trace.tokens === 1 && trace.jobs === 1
  return isWhole ? undefined : 'not once, or not whole'
}

/**
 * Fails `t` unless every answer was a 2xx or a 503 as the contract has it, and every write got one; with
 * `unanswered` some may have got none.
 */
export function assertAnswers(t: Test, load: Pick<Load, 'entries'>, { unanswered = false } = {}): void {
  const wrong = load.entries.filter(({ status, answer, error }) => {
    if (answer === undefined) return !unanswered || error === undefined
    if (status >= 200 && status < 300) return false
    return status !== 503 || answer.headers['retry-after'] === undefined || !/"code":"/.test(answer.text)
  })
  t.same(wrong.slice(0, 5), [], 'every answer is as the contract says')
}
