import { signUp } from '#test/support/helper.ts'
import { startInstance } from '#test/support/instances.ts'
import { createOrganization } from '#test/support/organizations.ts'
import type { PostgresServer } from './postgres-server.ts'

type T = Parameters<typeof startInstance>[0]

/** A migrated database with a user and two organizations in it. */
export async function populated(t: T, server: PostgresServer): Promise<string> {
  const url = await server.createDatabase()
  const env = { APP_ROLE: 'web', APP_DATABASE__MIGRATE_ON_START: 'true' }
  const app = await startInstance(t, { url }, env)
  const admin = await signUp(app, { role: 'admin' })
  for (const name of ['One', 'Two']) await (await createOrganization(app, admin)).createProject(name)
  await app.close()
  return url
}
