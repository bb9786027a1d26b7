import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { defineJob } from '#lib/jobs/jobs.ts'
import type { OrganizationContext } from './organizations.ts'
import * as queries from './queries.ts'

/** Rows that one statement deletes. */
const BATCH_ROWS = 1000

/** Deletes organizations, with all their rows, that can't be restored any more. */
export const purgeOrganizationsJob = defineJob({
  name: 'purge_organizations',
  cron: '37 * * * *',
  retryLimit: 2,
  concurrency: 1,
  handler: async (ctx: OrganizationContext, _data: object, { signal }) => {
    const db = new SystemDatabase(ctx.db)
    const { deletionGrace } = ctx.tenancy
    const organizations = await queries.selectPurgeable(db, deletionGrace)
    const tables = await queries.selectTenantTables(db)
    for (const org of organizations) {
      for (const table of tables) {
        do signal.throwIfAborted()
        while ((await queries.deleteRows(db, table, org, BATCH_ROWS)) === BATCH_ROWS)
      }
      await queries.deleteOrganization(db, org, deletionGrace)
    }
    ctx.log.info({ organizations: organizations.length }, 'purged organizations')
  },
})
