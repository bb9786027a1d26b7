import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Counter, Gauge } from 'prom-client'
import { ConfigError } from '#config/engine/config-error.ts'
import { variableName } from '#config/engine/keys.ts'
import type { Config } from '#config/schema/schema.ts'
import { Histogram } from '#lib/metrics/histogram.ts'
import { shareWhilePending } from '#lib/metrics/share-while-pending.ts'
import { type KeyRing, KeyRingError, readKeyRing } from '#lib/signing-keys/key-ring.ts'
import { copyPlacesOf } from '#services/audit/copy-places.ts'
import type { AuditContext } from '#services/audit/jobs.ts'
import { noteKeysOf } from '#services/audit/keys.ts'
import { EntryMacs } from '#services/audit/macs.ts'
import { SealLoop } from '#services/audit/seal-loop.ts'
import { type AuditStatus, auditStatus } from '#services/audit/status.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<AuditContext, 'audit'> {}
}

/** The audit log's keys, its sealer (in every process but `web`), and its metrics. */
export default fp(
  async (app) => {
    const { audit, role } = app.config
    const { marker } = app.ctx
    if (!(marker instanceof EntryMacs)) throw new TypeError('the marker has no keys')
    const keyRing = await loadKeyRing(audit)
    app.addContext({
      audit: {
        macs: marker,
        keyRing,
        noteKeys: noteKeysOf(keyRing),
        copyPlaces: copyPlacesOf(audit),
      },
    })
    registerGauges(app)
    if (role === 'web') return

    const lag = new Histogram({
      name: 'audit_sealing_lag_seconds',
      help: 'Time from an entry of the audit log to its seal.',
      buckets: [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60],
      registers: [app.metrics],
    }).series({})
    const refused = new Counter({
      name: 'audit_entries_refused_total',
      help: 'Entries of the audit log that were not sealed, because the service did not write them so.',
      registers: [app.metrics],
    })
    const loop = new SealLoop(app.ctx, {
      log: app.moduleLog('jobs'),
      sealed: (waitedMs) => lag.observe(waitedMs / 1000),
      refused: (count) => refused.inc(count),
    })
    app.addHook('onReady', async () => loop.start())
    app.addHook('onClose', () => loop.close())
  },
  { name: 'audit', dependencies: ['context', 'log-levels', 'metrics', 'migrations'] },
)

/** @throws ConfigError with everything that is wrong with the files */
async function loadKeyRing(audit: Config['audit']): Promise<KeyRing | undefined> {
  if (audit.signing_key_file === undefined) return undefined
  return readKeyRing(audit).catch((error: unknown) => {
    if (!(error instanceof KeyRingError)) throw error
    const problems = error.problems.map(
      ({ setting, message }) => `${variableName(`audit.${setting}`)}: ${message}`,
    )
    throw new ConfigError(problems)
  })
}

/** Registers what every process reads from the same tables; without the database they say nothing. */
function registerGauges(app: FastifyInstance): void {
  const gauges = {
    pendingAge: [
      'audit_pending_age_seconds',
      'Age of the oldest entry of the audit log that waits for its seal.',
    ],
    refused: [
      'audit_entries_refused',
      'Entries that are not sealed, because the service did not write them so.',
    ],
    newAge: ['audit_verified_age_seconds', 'Time since new entries were last verified and checkpointed.'],
    allAge: ['audit_verified_all_age_seconds', 'Time since the whole audit log was last verified.'],
    problems: ['audit_problems', 'What the last verifications of the audit log found wrong.'],
  } as const
  const ask = shareWhilePending<Partial<AuditStatus>>(() => auditStatus(app.ctx))
  for (const [key, [name, help]] of entriesOf(gauges)) {
    new Gauge({
      name,
      help,
      aggregator: 'max',
      registers: [app.metrics],
      async collect() {
        const value = (await ask())?.[key]
        if (value === undefined) this.remove()
        // What was never verified is as old as the process knows.
        else this.set(value ?? process.uptime())
      },
    })
  }
}

const entriesOf = <T extends object>(object: T) => Object.entries(object) as [keyof T, T[keyof T]][]
