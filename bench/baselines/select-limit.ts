/** How often one process can ask for a user by its id, pipelined over one connection: `ID SECONDS CALLERS`. */
import pg from 'pg'
import { measureLimit } from './result.ts'

const [id, seconds, callers] = process.argv.slice(2)

const client = new pg.Client({ connectionString: process.env['DATABASE_URL'], pipeline: true })
await client.connect()
await measureLimit(Number(callers), Number(seconds), () =>
  client.query({
    name: 'selectUserById',
    text: `SELECT id, email, username, role, is_active, created_at, updated_at FROM users WHERE id = $1`,
    values: [id],
  }),
)
await client.end()
