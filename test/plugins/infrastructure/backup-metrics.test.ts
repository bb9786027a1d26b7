import t from 'tap'
import { connectionOptions } from '#config/engine/database-connection.ts'
import { recordBackup } from '#lib/backup/record.ts'
import { createTestApp } from '#test/support/helper.ts'

t.test('the last backup is a metric, and without a backup there is none', async (t) => {
  const { app, db } = await createTestApp(t)
  const shown = async () => {
    const text = await app.metrics.getSingleMetricAsString('groundwork_backup_last_success_timestamp_seconds')
    return /^groundwork_backup_last_success_timestamp_seconds (.+)$/m.exec(text)?.[1]
  }
  t.equal(await shown(), undefined, 'not 1970')

  const connection = await connectionOptions(app.config.database)
  const backup = (created_at: string) =>
    recordBackup(connection, { created_at, dump: { file: 'a.dump', size: 1000, sha256: '0'.repeat(64) } })
  await backup('2026-11-24T15:49:00.000Z')
  t.equal(await shown(), String(Date.parse('2026-11-24T15:49:00Z') / 1000))
  await backup('2026-11-25T15:49:00.000Z')
  await backup('2026-11-23T15:49:00.000Z')
  t.equal(await shown(), String(Date.parse('2026-11-25T15:49:00Z') / 1000), 'an older one changes nothing')
  t.match(await db.query('SELECT size FROM backups'), [{ size: '1000' }], 'there is one row')

  await db.query('DROP TABLE backups')
  t.equal(await shown(), undefined, 'before its migration there is none either')
})
