import { setTimeout as sleep } from 'node:timers/promises'
import { closeClients, openClients } from './clients.ts'
import { type Figures, rounded } from './goals.ts'
import type { Audience, Stage } from './stage.ts'

/** Milliseconds for which idle sockets are watched. */
const WATCHED_MS = 15_000

/** Memory and processor time of sockets that hear nothing. */
export async function measureIdle(
  stage: Stage,
  { tokens, channel }: Pick<Audience, 'tokens' | 'channel'>,
  figures: Figures,
  kind = '',
): Promise<string> {
  await sleep(2000)
  const empty = await stage.holder.usage()
  const clients = await openClients(tokens.length, (index) => ({
    ...{ url: stage.urls[0] ?? '', channel, token: tokens[index] ?? '' },
  }))
  await sleep(3000)
  const before = await stage.holder.usage()
  const statements = await statementsOf(stage)
  await sleep(WATCHED_MS)
  const after = await stage.holder.usage()
  const asked = ((await statementsOf(stage)) - statements) / (WATCHED_MS / 1000)
  await closeClients(clients)
  if (!empty || !before || !after) return 'no memory is known on this system'
  const bytes = (after.memory - empty.memory) / clients.length
  const cpu = ((after.cpu - before.cpu) / (WATCHED_MS / 1000) / clients.length) * 1e6
  if (kind === '') figures.set(`${stage.engine} bytes of an idle socket`, bytes)
  return (
    `${clients.length} idle sockets${kind}: ${rounded(bytes / 1024)} KiB and ${rounded(cpu)} us/s each; ` +
    `${rounded(asked)} statements/s of the service`
  )
}

/** Statements that the service has sent so far. */
async function statementsOf({ service }: Stage): Promise<number> {
  const text = await (await fetch(`${service.origin}/metrics`)).text()
  const counts = [...text.matchAll(/^db_query_duration_seconds_count\{[^}]*\} (\d+)/gm)]
  return counts.reduce((sum, [, count = '0']) => sum + Number(count), 0)
}
