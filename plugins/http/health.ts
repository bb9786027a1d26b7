import fp from 'fastify-plugin'
import { Gauge } from 'prom-client'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { UnboundRole } from '#lib/database/role.ts'
import { UnusableSession } from '#lib/database/unusable-session.ts'
import { type Check, CheckFailed, type CheckName, HealthChecks } from '#lib/health/health.ts'
import { createVersionCheck } from '#lib/migrations/version-check.ts'
import { MIGRATIONS } from '#plugins/infrastructure/migrations.ts'

declare module 'fastify' {
  interface FastifyInstance {
    health: HealthChecks
  }
}

/** Checks that must pass for the instance to take requests. */
export default fp(
  async (app) => {
    const isCurrent = await createVersionCheck(MIGRATIONS)
    let ending = false
    app.addHook('preClose', async () => {
      ending = true
    })
    // Over the pipeline, so that a busy pool does not make the instance look dead.
    const query = async (name: string, text: string) => ({
      rows: await app.db.query({ name, text, pipelined: true }),
    })

    const checks = new Map<CheckName, Check>([
      [
        'database',
        async () => {
          await explain(app.assertRoleBound(), 'the database does not answer')
        },
      ],
      [
        'migrations',
        async () => {
          const current = await explain(
            isCurrent((text) => query('checkMigrations', text)),
            'the schema version cannot be read',
          )
          if (!current) throw new CheckFailed('migrations are pending')
        },
      ],
    ])
    const health = new HealthChecks(checks, app.isDraining)
    app.decorate('health', health)
    // An alert must not depend on whether somebody asks /ready.
    new Gauge({
      name: 'health_check_up',
      help: 'Whether a check of /ready passes: 1 or 0.',
      labelNames: ['check'],
      // Of several workers, the one that fares worst.
      aggregator: 'min',
      registers: [app.metrics],
      async collect() {
        for (const { name, status } of await health.run()) this.set({ check: name }, status === 'up' ? 1 : 0)
      },
    })

    /** Says what failed in our words; the driver's go to the log. */
    async function explain<T>(work: Promise<T>, reason: string): Promise<T> {
      try {
        return await work
      } catch (error) {
        if (error instanceof UnboundRole)
          throw new CheckFailed('the database role bypasses row-level security')
        // An ending process has closed its database, and is asked for its metrics one last time.
        if (!ending && !app.isDraining()) app.log.warn({ err: error }, reason)
        throw new CheckFailed(setUpWrong(error) ?? reason)
      }
    }
  },
  { name: 'health', dependencies: ['database', 'database-role', 'draining', 'metrics'] },
)

/** Why no session can be used, where the database answers. */
function setUpWrong(error: unknown): string | undefined {
  const cause = error instanceof DatabaseUnavailable ? error.cause : error
  return cause instanceof UnusableSession ? cause.reason : undefined
}
