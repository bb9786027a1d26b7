import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { explainOutput } from './explain-output.ts'
import { type Launcher, output } from './launcher.ts'

const NAMELESS = /could not look up effective user ID (\d+)/

/**
 * A user namespace in which the process is `nobody`: 65534 has a name on every system. The files are still ours. Only
 * initdb asks for the name of its user, the server does not.
 */
const AS_NOBODY = ['--user', '--map-user=65534', '--map-group=65534']

/**
 * Runs initdb, also for a user without an entry in /etc/passwd, as containers have them.
 *
 * @throws EmbeddedPostgresError with initdb's output, or what to do.
 */
export async function runInitdb(
  launcher: Launcher,
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const result = await output(launcher.command(program, args), signal)
  if (result.code === 0) return
  const uid = NAMELESS.exec(result.text)?.[1]
  if (uid === undefined)
    throw new EmbeddedPostgresError(`PostgreSQL's initdb failed: ${explainOutput(result.text)}`)
  const renamed = await output(launcher.command('unshare', [...AS_NOBODY, program, ...args]), signal)
  if (renamed.code === 0) return
  throw new EmbeddedPostgresError(
    `PostgreSQL's initdb needs a name for its user, and ${uid} has none in /etc/passwd. Add an entry there, run as a ` +
      'user that has one, or set APP_DATABASE__URL to a PostgreSQL server.',
  )
}
