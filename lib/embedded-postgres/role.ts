import { createHmac } from 'node:crypto'
import type pg from 'pg'

/** The database that every embedded server has. */
export const DATABASE = 'groundwork'

/** Owner of that database; row-level security binds it, as it does the service's role in production. */
export const ROLE = 'groundwork'

/** Returns the role's password. It follows from the superuser's, and nothing leads back. */
export function rolePassword(superuserPassword: string): string {
  return createHmac('sha256', superuserPassword).update(`role ${ROLE}`).digest('base64url').slice(0, 32)
}

/**
 * Makes the role and its database unless they exist.
 *
 * @param client the superuser's
 * @returns whether what the database holds must be handed over to the role (`handOver`): older releases of the service
 * were the superuser
 */
export async function ensureDatabase(client: pg.Client, superuserPassword: string): Promise<boolean> {
  const role = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [ROLE])
  if (role.rowCount === 0) {
    const password = rolePassword(superuserPassword)
    await client.query(`CREATE ROLE ${ROLE} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '${password}'`)
  }
  const { rows } = await client.query<{ owner: string }>(
    'SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1',
    [DATABASE],
  )
  const owner = rows[0]?.owner
  if (owner === undefined) await client.query(`CREATE DATABASE ${DATABASE} OWNER ${ROLE}`)
  return owner !== undefined && owner !== ROLE
}
