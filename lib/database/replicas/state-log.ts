import type { Log } from '#lib/context.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'
import type { Replica, ReplicaState } from './replica.ts'

type Told = (
  replica: Pick<Replica, 'name' | 'state'>,
  previous: ReplicaState | undefined,
  cause?: unknown,
) => void

/** Logs what becomes of replicas; one that falls behind and catches up again and again makes a line a minute. */
export function stateLog(log: Pick<Log, 'info' | 'warn'>): Told {
  const warn = warnOfTrouble(log, 'does not read from a replica')
  return ({ name: replica, state }, previous, cause) => {
    // At its start a process has to see a commit first.
    if (state === 'behind' && previous === undefined) return
    if (state !== 'up') warn(new Error(`the replica ${replica} is ${state}`, { cause }))
    else if (previous !== 'behind') log.info({ replica }, 'reads from a replica')
  }
}
