import { dropSchema, selectUsedSchemas } from '#lib/database/schemas.ts'
import { migrateUp } from './migrations.ts'
import { type MigrationOptions, withMigrationLock } from './session.ts'

/** Empties the database and applies every migration to it. All of its data is lost. */
export async function resetDatabase(options: MigrationOptions): Promise<void> {
  await withMigrationLock(options, async (client) => {
    const schemas = await selectUsedSchemas(client)
    // One text is one transaction.
    await client.query(schemas.map(dropSchema).join(''))
  })
  await migrateUp(options)
}
