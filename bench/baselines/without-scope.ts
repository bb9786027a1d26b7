/** Loaded before the service: its statements travel without their scope, as they would where tables have no policies. */
import { PoolDatabase } from '#lib/database/pool-database.ts'

const { query } = PoolDatabase.prototype
PoolDatabase.prototype.query = function (this: PoolDatabase, { scope: _, ...statement }, caller) {
  return query.call(this, statement, caller)
} as typeof query
