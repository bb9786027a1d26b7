import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import type { ConnectionOptions, Session } from '#lib/database/session.ts'
import { BackupError } from './backup-error.ts'

/** How PostgreSQL's own programs reach a database. */
export interface ToolAccess {
  /** For their environment. No secret is in it, nor in their arguments: both can be read by others. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** For what belongs to this access; only we can read it. */
  readonly directory: string
}

export interface DatabaseAccess {
  /** How the service connects. */
  readonly connection: ConnectionOptions
  readonly tls: {
    readonly tls: 'off' | 'require' | 'verify'
    readonly tls_ca_file?: string
    readonly tls_cert_file?: string
    readonly tls_key_file?: string
  }
}

const SSL_MODES = { off: 'disable', require: 'require', verify: 'verify-full' } as const

/** Lets `fn` use the database through PostgreSQL's programs; the password is in a file that is gone afterwards. */
export async function withToolAccess<T>(
  access: DatabaseAccess,
  fn: (tools: ToolAccess) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'groundwork-'))
  try {
    return await fn({ directory, env: await environment(access, directory) })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function environment({ connection, tls }: DatabaseAccess, directory: string) {
  const { host, port, user, password = '', database } = connection
  const passwordFile = join(directory, 'pgpass')
  await writeFile(passwordFile, `*:*:*:*:${password.replace(/[\\:]/g, '\\$&')}\n`, { mode: 0o600 })
  const { PATH, LD_LIBRARY_PATH } = process.env
  const { tls_ca_file, tls_cert_file, tls_key_file } = tls
  return {
    PATH,
    LD_LIBRARY_PATH,
    HOME: directory,
    LC_ALL: 'C',
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    PGPASSFILE: passwordFile,
    PGAPPNAME: 'groundwork-backup',
    // The rows of all organizations: their policies bind the owner too.
    PGOPTIONS: '-c app.scope=system',
    PGCONNECT_TIMEOUT: '10',
    PGSSLMODE: SSL_MODES[tls.tls],
    ...(tls.tls === 'verify' ? { PGSSLROOTCERT: tls_ca_file ?? (await ownAuthorities(directory)) } : {}),
    ...(tls_cert_file === undefined ? {} : { PGSSLCERT: tls_cert_file }),
    ...(tls_key_file === undefined ? {} : { PGSSLKEY: tls_key_file }),
  }
}

/**
 * pg_dump and psql set their session up as they need it, with an empty search_path among the rest; a pooler would hand
 * that session to the service next.
 */
export function refusePooler(client: Session): void {
  if (!client.isPooled) return
  throw new BackupError(
    "There is a pooler before PostgreSQL, through which its programs cannot be used: name the server's own address " +
      'in APP_DATABASE__URL for this command.',
  )
}

/** The authorities that the service trusts where no others are named. */
async function ownAuthorities(directory: string): Promise<string> {
  const file = join(directory, 'authorities.pem')
  await writeFile(file, getCACertificates('default').join('\n'))
  return file
}

/**
 * Returns the major version of a program on the PATH.
 *
 * @throws BackupError that says what to install, when it is missing or older than `least`.
 */
export async function requireTool(name: string, least: number): Promise<number> {
  const advice =
    `Install PostgreSQL's client programs of version ${least} or newer (Debian: postgresql-client-${least}, ` +
    'from apt.postgresql.org where Debian has an older one) and have them first in the PATH.'
  let text: string
  try {
    text = await collect(name, ['--version'])
  } catch (cause) {
    throw new BackupError(`${name} cannot be run. ${advice}`, { cause })
  }
  const version = Number(/(\d+)(?:\.\d+|beta\d+|rc\d+)/.exec(text)?.[1])
  if (version >= least) return version
  throw new BackupError(`${name} is of version ${version}, and the server of ${least}. ${advice}`)
}

function collect(file: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`exit code ${code}`))))
  })
}

/**
 * Yields the output of a program, piece by piece.
 *
 * @throws BackupError with the program's own words when it ends with anything but 0; then the pieces so far are
 * worth nothing.
 */
export async function* run(file: string, args: string[], env: ToolAccess['env']): AsyncGenerator<Uint8Array> {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const words = collectWords(child.stderr)
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  ended.catch(() => undefined)
  try {
    yield* child.stdout
    const code = await ended
    if (code !== 0) throw new BackupError(`${file} failed (${code}): ${words()}`)
  } finally {
    child.kill()
  }
}

/** Runs psql on the SQL that comes from `sql`; what the last piece does not commit is undone. */
export async function runSql(env: ToolAccess['env'], sql: AsyncIterable<Uint8Array | string>): Promise<void> {
  const args = ['--no-psqlrc', '--quiet', '--no-password', '--set=ON_ERROR_STOP=1', '--output=/dev/null']
  const child = spawn('psql', args, { env, stdio: ['pipe', 'ignore', 'pipe'] })
  const words = collectWords(child.stderr)
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  ended.catch(() => undefined)
  // psql that gives up reads no more; its words say why.
  child.stdin.on('error', () => undefined)
  try {
    for await (const piece of sql) {
      if (child.exitCode !== null || child.stdin.destroyed) break
      if (!child.stdin.write(piece)) {
        await Promise.race([new Promise((resolve) => child.stdin.once('drain', resolve)), ended])
      }
    }
    child.stdin.end()
  } catch (error) {
    // Killed, not stopped in order by the end of its input; here the two make no difference.
    child.kill('SIGKILL')
    await ended
    throw error
  }
  const code = await ended
  if (code !== 0) throw new BackupError(`PostgreSQL refused the backup: ${words()}`)
}

/** The last of what a program says on standard error. */
function collectWords(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    text = (text + chunk).slice(-2000)
  })
  return () => text.trim()
}
