import { withClient } from '../environment/database.ts'
import { seedSessions } from '../environment/seed.ts'
import { requestsOf, type Subject } from '../environment/subject.ts'
import { nextNumber, type RequestTemplate } from '../load/load.ts'
import type { OperationName } from '../targets/target.ts'
import { httpContestant } from './contestant.ts'
import { ACCOUNTS } from './login.ts'
import type { Scenario } from './scenario.ts'

/** Requests of each kind in a hundred. */
const SHARES: readonly (readonly [OperationName, number])[] = [
  ['me', 80],
  ['list', 10],
  ['update', 5],
  ['refresh', 3],
  ['login', 2],
]

/** Numbers that a second of the mix may use: updates and refreshes, eight of a hundred requests. */
const NUMBERS = 3000

export const mix: Scenario = {
  id: 7,
  slug: 'mix',
  title: '80 % me, 10 % list, 5 % update, 3 % refresh, 2 % login',
  async contestants(lab) {
    const service = await lab.service(undefined, { users: ACCOUNTS })
    const url = await lab.database('small')
    const { generator, connections } = lab.options
    const { target, server } = service
    const requests = mixOf(service)
    const contestant = httpContestant(generator, {
      name: target.name,
      isOwn: true,
      server,
      requests,
      connections,
    })
    return [
      {
        ...contestant,
        async measure(seconds) {
          await openSessions(url, seconds)
          return contestant.measure(seconds)
        },
      },
    ]
  },
}

/** Opens the sessions that so many seconds of the mix may refresh: a refresh token is good for one use. */
export function openSessions(databaseUrl: string, seconds: number): Promise<void> {
  return withClient(databaseUrl, (client) => seedSessions(client, nextNumber(), seconds * NUMBERS))
}

/** The mix as a sequence: hundreds in which each operation comes at even distances, by account after account. */
export function mixOf(service: Subject): RequestTemplate[] {
  const order = interleave(SHARES)
  const pools = new Map(SHARES.map(([name]) => [name, requestsOf(service, name, ACCOUNTS)]))
  return Array.from({ length: ACCOUNTS }).flatMap((_, turn) =>
    order.flatMap((name) => {
      const pool = pools.get(name) ?? []
      return pool[turn % pool.length] ?? []
    }),
  )
}

/** Spreads each name evenly over a sequence in which it comes as often as its share says. */
function interleave<Name>(shares: readonly (readonly [Name, number])[]): Name[] {
  return shares
    .flatMap(([name, share]) =>
      Array.from({ length: share }, (_, index) => ({ name, at: (index + 0.5) / share })),
    )
    .sort((a, b) => a.at - b.at)
    .map(({ name }) => name)
}
