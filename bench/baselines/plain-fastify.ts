/**
 * The plain Fastify of its official documentation: `request.jwtVerify()` of @fastify/jwt, a query through
 * `pg.Pool`, a response schema, pino's lines about requests. Reads the table of the service, and takes its
 * tokens. Nothing in it is slow on purpose. Listens on PORT.
 */
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import pg from 'pg'

const { PORT, DATABASE_URL, JWT_SECRET = '' } = process.env

const app = Fastify({ logger: true })
const pool = new pg.Pool({ connectionString: DATABASE_URL })

await app.register(fastifyJwt, {
  secret: JWT_SECRET,
  verify: { algorithms: ['HS256'], allowedIss: 'groundwork', allowedAud: 'groundwork' },
})

const user = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    email: { type: 'string' },
    username: { type: 'string' },
    role: { type: 'string' },
    is_active: { type: 'boolean' },
    created_at: { type: 'string', format: 'date-time' },
    updated_at: { type: 'string', format: 'date-time' },
  },
}

app.get('/live', () => ({ status: 'alive' }))

app.get(
  '/api/v1/users/me',
  {
    schema: { response: { 200: user } },
  },
  async (request) => {
    const { sub } = await request.jwtVerify<{ sub: string }>()
    const { rows } = await pool.query(
      `SELECT id, email, username, role, is_active, created_at, updated_at
       FROM users WHERE id = $1 AND is_active`,
      [sub],
    )
    if (rows.length === 0) throw new Error('no such user')
    return rows[0]
  },
)

await app.listen({ port: Number(PORT), host: '127.0.0.1' })
process.once('SIGTERM', () => app.close().then(() => pool.end()))
