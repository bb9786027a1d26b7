/** How many users one process can insert, each durable, over a pool like the service's: `SECONDS CALLERS FIRST`. */
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { measureLimit } from './result.ts'

const [seconds, callers, first] = process.argv.slice(2)

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 10 })
let number = Number(first)
await measureLimit(Number(callers), Number(seconds), () => {
  const name = `limit${number++}`
  return pool.query({
    name: 'insertUser',
    text: `INSERT INTO users (id, email, username, password_hash) VALUES ($1, $2, $3, '$argon2id$none')
           RETURNING id, email, username, role, is_active, created_at, updated_at`,
    values: [uuidv7(), `${name}@limit.example.com`, name],
  })
})
await pool.end()
