import { autocannonGenerator } from '../load/autocannon.ts'
import type { Generator } from '../load/load.ts'
import { findWrk } from '../load/wrk.ts'
import { median } from '../statistics.ts'
import { closeClients, openClients } from './clients.ts'
import { type Figures, rounded } from './goals.ts'
import { type Audience, type Stage, startStage } from './stage.ts'

const CONNECTIONS = 16
const SECONDS = 3
/** Rounds without sockets, before and after those with them, and rounds with them. */
const ROUNDS = 4
const WARM_UP_SECONDS = 6

/** How long reads take with very many idle sockets, and without any before and after. */
export async function measureReads(
  directory: string,
  { databaseUrl, tokens, channel }: Audience,
  figures: Figures,
): Promise<string> {
  const stage = await startStage('embedded', directory, databaseUrl)
  const generator = (await findWrk(directory)) ?? autocannonGenerator
  const [token = ''] = tokens
  await read(generator, stage, token, WARM_UP_SECONDS)
  const without = await rounds(generator, stage, token)
  const clients = await openClients(tokens.length, (index) => ({
    ...{ url: stage.urls[0] ?? '', channel, token: tokens[index] ?? '' },
  }))
  // What they left behind when they connected is collected before anything is measured.
  await read(generator, stage, token, WARM_UP_SECONDS)
  const meanwhile = await rounds(generator, stage, token)
  await closeClients(clients)
  await read(generator, stage, token, WARM_UP_SECONDS)
  without.push(...(await rounds(generator, stage, token)))
  await stage.stop()
  const [p99, alone] = [meanwhile, without].map((all) => median(all.map((one) => one.p99)))
  const [rate, aloneRate] = [meanwhile, without].map((all) => median(all.map((one) => one.rate)))
  const ratio = (p99 ?? Number.NaN) / (alone ?? Number.NaN)
  figures.set('reads with / without', ratio)
  return (
    `reads of ${CONNECTIONS} connections (${generator.name}) with ${clients.length} idle sockets: ` +
    `p99 ${rounded(p99 ?? 0)} ms at ${rounded(rate ?? 0)}/s; without: ${rounded(alone ?? 0)} ms at ` +
    `${rounded(aloneRate ?? 0)}/s: ${rounded(ratio)} times`
  )
}

interface Round {
  readonly p99: number
  readonly rate: number
}

async function rounds(generator: Generator, stage: Stage, token: string): Promise<Round[]> {
  const all: Round[] = []
  for (let round = 0; round < ROUNDS; round++) all.push(await read(generator, stage, token, SECONDS))
  return all
}

async function read(generator: Generator, stage: Stage, token: string, seconds: number): Promise<Round> {
  const headers = { authorization: `Bearer ${token}` }
  const result = await generator.run({
    ...{ origin: stage.service.origin, connections: CONNECTIONS, seconds },
    requests: [{ method: 'GET', path: '/api/v1/users/me', headers }],
  })
  if (result.refused + result.errors > 0) throw new Error('reads were refused')
  return { p99: result.p99, rate: result.requests / result.seconds }
}
