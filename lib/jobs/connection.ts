import type { Database } from '#lib/database/database.ts'

/** The connection that pg-boss sends its statements over. */
interface Connection {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: object[] }>
}

/** Lets pg-boss work over our database, and so in our transaction. */
export function connectionOf(
  db: Database,
  statement: 'enqueueJob' | 'completeJob' | 'changeJobs',
): Connection {
  return {
    executeSql: async (text, values = []) => ({
      rows: await db.query({ name: statement, text, values, prepare: false }),
    }),
  }
}
