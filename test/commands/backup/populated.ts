import type { Test } from 'tap'
import { ready, signUpAdmin } from '#test/faults/rig.ts'
import { startService } from '#test/support/process.ts'
import type { PostgresServer } from './postgres-server.ts'

/** A migrated database with a user in it. */
export async function populated(t: Test, server: PostgresServer): Promise<string> {
  const url = await server.createDatabase()
  const service = await startService(t, { APP_DATABASE__URL: url, APP_ROLE: 'web' })
  await ready(service.url)
  await signUpAdmin(service.url, { query: (text) => server.query(url, text.replace(' WHERE id = $1', '')) })
  service.child.kill('SIGTERM')
  await service.exited
  return url
}
