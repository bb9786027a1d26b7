import { setTimeout as sleep } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import { median, quantile } from '../statistics.ts'
import { closeClients, openClients } from './clients.ts'
import { type Figures, rounded } from './goals.ts'
import type { Audience, Stage } from './stage.ts'
import { withDatabase } from './telling.ts'

/** Sessions that are ended. */
const REVOKED = 150
/** Longest time between two of them, so that each also meets a service that has nothing to do. */
const PAUSE_MS = 250
/** Milliseconds after which a socket counts as one that stays. */
const PATIENCE_MS = 10_000

/** From the end of a session until its socket is closed, at any node. */
export async function measureRevocation(stage: Stage, audience: Audience, figures: Figures): Promise<string> {
  const { tokens, channel, sessions, databaseUrl } = audience
  const first = tokens.length - REVOKED
  const { urls } = stage
  const clients = await openClients(REVOKED, (index) => ({
    ...{ url: urls[index % urls.length] ?? '', channel, token: tokens[first + index] ?? '' },
  }))
  // They are opened in no order.
  const bySession = new Map(clients.map((client) => [sessions[tokens.indexOf(client.token)], client]))
  const times = await withDatabase(databaseUrl, async (database) => {
    const waiting: Promise<number>[] = []
    for (const [session, { ended }] of bySession) {
      await database.query('BEGIN')
      const { rows } = await database.query(
        'UPDATE sessions SET ended_at = now() WHERE id = $1 RETURNING user_id',
        [session],
      )
      await database.query(
        `INSERT INTO events (id, org_id, type, version, subject_type, subject_id, actor_kind, data)
         VALUES ($1, NULL, 'sessions.ended', 1, 'user', $2, 'system', '{}')`,
        [uuidv7(), rows[0]?.user_id],
      )
      await database.query('COMMIT')
      const at = performance.now()
      waiting.push(Promise.race([ended, sleep(PATIENCE_MS)]).then(() => performance.now() - at))
      await sleep(Math.random() * PAUSE_MS)
    }
    const all = await Promise.all(waiting)
    await database.query('UPDATE sessions SET ended_at = NULL')
    return all
  })
  await closeClients(clients)
  const p99 = quantile(times, 0.99)
  figures.set(`${stage.engine} revocation`, p99)
  return (
    `revocation at ${stage.nodes} nodes: p50 ${rounded(median(times))} ms, p99 ${rounded(p99)} ms, ` +
    `longest ${rounded(Math.max(...times))} ms`
  )
}
