import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp } from '#app.ts'
import { loggerOptions } from '#lib/log/logger.ts'
import type { TestDatabase } from './database.ts'
import { testConfig } from './helper.ts'

/** Another instance of the service on a test's database; it ends with `t`. `onLine` is given what it logs. */
export async function startInstance(
  t: Test,
  db: Pick<TestDatabase, 'url'>,
  env: Record<string, string> = {},
  onLine: (line: string) => void = () => undefined,
): Promise<FastifyInstance> {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      onLine(chunk.toString())
      done()
    },
  })
  const config = testConfig(db.url, env)
  const app = await buildApp(config, {
    logger: { ...loggerOptions(config.log), stream },
  })
  t.teardown(() => app.close())
  return app
}

/** How often each statement was run so far, by name. */
export async function statementCounts(app: FastifyInstance): Promise<Record<string, number>> {
  const metric = await app.metrics.getSingleMetric('db_query_duration_seconds')?.get()
  const counts: Record<string, number> = {}
  for (const value of metric?.values ?? []) {
    if (!('metricName' in value) || value.metricName !== 'db_query_duration_seconds_count') continue
    const statement = String(value.labels['statement'])
    // Comes by itself every few seconds.
    if (statement !== 'recordInstance') counts[statement] = value.value
  }
  return counts
}

/**
 * How often each statement was run during `work`; those that were not are left out. The application has to be one of
 * the role `web`, whose statements are those of its requests.
 */
export async function statementsOf(
  app: FastifyInstance,
  work: () => Promise<unknown>,
): Promise<Record<string, number>> {
  if (app.config.role !== 'web') throw new Error('Jobs have statements of their own: use APP_ROLE=web')
  const before = await statementCounts(app)
  await work()
  const after = await statementCounts(app)
  const differences = Object.entries(after).map(
    ([name, count]) => [name, count - (before[name] ?? 0)] as const,
  )
  return Object.fromEntries(differences.filter(([, count]) => count > 0).sort())
}
