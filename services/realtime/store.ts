import type { Database } from '#lib/database/database.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'

/**
 * Opens the messages of all channels, whosever they are: an instance reads them once for all who listen, and the hub passes
 * on what each channel's `authorize` has allowed.
 */
export const openStore = (db: Database): SystemDatabase => new SystemDatabase(db)
