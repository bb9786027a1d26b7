import { availableParallelism } from 'node:os'
import type { Config } from './schema/schema.ts'

/** How many processes serve: `server.workers`, where `auto` is one for each core that Node may use. */
export function workerCount({ workers }: Pick<Config['server'], 'workers'>): number {
  return workers === 'auto' ? availableParallelism() : workers
}
