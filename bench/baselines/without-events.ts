/** Loaded before the service: changes write neither their event nor their audit entry, as where there is no outbox. */
import { PoolDatabase } from '#lib/database/pool-database.ts'

/** The change itself, in a statement that records it (services/events/recording.ts). */
const CHANGE = /^WITH changed AS \((.*?)\), recorded_0 AS /s

const { query } = PoolDatabase.prototype
PoolDatabase.prototype.query = function (this: PoolDatabase, statement, caller) {
  const { name, text, values = [] } = statement
  const [, change] = name.endsWith(':event') ? (CHANGE.exec(text) ?? []) : []
  if (change === undefined) return query.call(this, statement, caller)
  const used = Math.max(0, ...[...change.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)))
  const bare = { ...statement, name: `${name}:bare`, text: change, values: values.slice(0, used) }
  return query.call(this, { ...bare, emits: false }, caller)
} as typeof query
