import fp from 'fastify-plugin'
import { Gauge } from 'prom-client'
import { findLastBackupTime } from '#lib/backup/record.ts'

/** Says when the last backup was made, for the alert. Without a backup, or without the database, it says nothing. */
export default fp(
  async (app) => {
    new Gauge({
      name: 'groundwork_backup_last_success_timestamp_seconds',
      help: 'Moment (Unix time) whose state the last good backup holds.',
      // Every process reads the same row.
      aggregator: 'max',
      registers: [app.metrics],
      async collect() {
        const time = await findLastBackupTime(app.db).catch(() => undefined)
        // A gauge without a value says 0, which would be a backup of 1970.
        if (time === undefined) this.remove()
        else this.set(time)
      },
    })
  },
  { name: 'backup-metrics', dependencies: ['database', 'metrics'] },
)
