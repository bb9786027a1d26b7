import type pg from 'pg'
import { type Db, PgBoss } from 'pg-boss'
import type { Log } from '#lib/context.ts'
import { Listener } from '#lib/database/listener.ts'
import type { ConnectionOptions } from '#lib/database/session.ts'
import { warnOfTrouble } from '#lib/log/troubles.ts'

const BEAT_INTERVAL_MS = 10_000
const RETRY_INTERVAL_MS = 1000

/** The database and settings that pg-boss runs on. */
export interface BossOptions {
  /** The service's own. */
  readonly pool: pg.Pool
  /** For the connection that hears of new jobs. */
  readonly connection: ConnectionOptions
  /** Whether jobs are worked on here, schedules and the rescue of lost jobs included. */
  readonly works: boolean
  readonly log: Log
  /** Takes the announcement of a job; false for a queue that it does not know, all of whose places are then woken. */
  readonly announced?: (queue: string) => boolean
}

/** Seconds without a sign of life after which a job of a dead worker is given to another; pg-boss's least is 10. */
export const HEARTBEAT_SECONDS = 10
/** Seconds between looks for such jobs, in the whole fleet. */
const MONITOR_SECONDS = 5

/** Makes the instance of pg-boss; nothing happens before its `start`. */
export function createBoss(options: BossOptions): PgBoss {
  const { works, log } = options
  const boss = new PgBoss({
    db: bossDatabase(options),
    schema: 'pgboss',
    supervise: works,
    schedule: works,
    useListenNotify: works,
    superviseIntervalSeconds: MONITOR_SECONDS,
    monitorIntervalSeconds: MONITOR_SECONDS,
    // Cron jobs are begun within half a minute; nothing uses flows.
    cronWorkerIntervalSeconds: 30,
    flowIntervalSeconds: 3600,
    registerInstance: false,
    openTelemetry: { enabled: false },
    // It would take longer than the pool's statement timeout allows.
    reindex: false,
  })
  boss.on('error', warnOfTrouble(log, 'the job queue has trouble'))
  boss.on('warning', ({ message, data }) => log.warn({ details: data }, message))
  return boss
}

/** pg-boss writes its own transactions as one text, so a connection on which one failed is not used again. */
function bossDatabase({ pool, connection, log, announced }: BossOptions): Db {
  return {
    // Pool.query discards the connection when it fails.
    executeSql: (text, values) => pool.query(text, values),
    listen: async (channel, heard, connected) => {
      const listener = new Listener({
        connection: { ...connection, application_name: 'groundwork-jobs' },
        channel,
        beatIntervalMs: BEAT_INTERVAL_MS,
        retryIntervalMs: RETRY_INTERVAL_MS,
        heard: (queue) => {
          if (announced?.(queue) !== true) heard(queue)
        },
        connected,
        lost: warnOfTrouble(log, 'new jobs are not announced at the moment; polling continues'),
      })
      await listener.open()
      return { close: () => listener.close() }
    },
  }
}
