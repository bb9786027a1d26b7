import { join } from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#lib/embedded-postgres/embedded-postgres.ts'

/** Starts the tests' PostgreSQL or joins it. What it keeps is lost in a crash, in exchange for speed. */
export function startTestServer(options: { fresh: boolean }): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    directory: join(import.meta.dirname, '../../.data/test'),
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      // A worker in the template database would be in the way of a clone.
      autovacuum: 'off',
      max_connections: '200',
    },
    fresh: options.fresh,
  })
}
