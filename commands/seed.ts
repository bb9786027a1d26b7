/**
 * Creates users to develop with, one of each role, always the same: `npm run seed`. Users who are there already stay as
 * they are. Their passwords are public, so it refuses any environment but development and test.
 * Exits with 1 when it fails or refuses, and with 2 for arguments that it does not know.
 */
import type { FastifyInstance } from 'fastify'
import { LENIENT_ENVIRONMENTS } from '#config/schema/schema.ts'
import type { Role } from '#schemas/users.ts'
import * as operators from '#services/users/operators.ts'
import * as userRecords from '#services/users/records.ts'
import { RefusedCommand } from './confirm.ts'
import { runCommand } from './run-command.ts'
import { renderTable } from './table.ts'
import { commandConfig, withApp } from './with-app.ts'

const USAGE = 'Usage: npm run seed\n'

/** The password of all of them; long enough for every password rule. */
const PASSWORD = 'correct horse battery staple'

/** By role, so that a new role asks for its user here. */
const USERS: Readonly<Record<Role, readonly string[]>> = { admin: ['root'], user: ['ada', 'grace'] }

await runCommand(process.argv.length === 2 ? {} : undefined, USAGE, seed)

async function seed(): Promise<void> {
  const config = commandConfig()
  if (!LENIENT_ENVIRONMENTS.includes(config.environment)) {
    throw new RefusedCommand(
      `The passwords of these users are public, and this is the environment ${config.environment}.`,
    )
  }
  process.stdout.write(await withApp(config, createAll))
}

async function createAll(app: FastifyInstance): Promise<string> {
  const rows: string[][] = []
  for (const role of ['admin', 'user'] as const) {
    for (const username of USERS[role]) {
      const email = `${username}@example.com`
      const known = await userRecords.findByEmail(app.ctx, email)
      if (!known) await operators.create(app.ctx, { email, username, password: PASSWORD }, role)
      rows.push([email, known?.role ?? role, known ? 'was there already' : PASSWORD])
    }
  }
  return renderTable([['EMAIL', 'ROLE', 'PASSWORD'], ...rows])
}
