import { execFile, type SpawnOptions, spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { Binaries } from './binaries.ts'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import type { Layout } from './layout.ts'

/** A user of the system. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/** How PostgreSQL's programs are run: as ourselves, or, when we are root (which they refuse), as another. */
export interface Launcher {
  /** Who must own the files; absent when that is ourselves. */
  readonly account: Account | undefined
  /** The command that runs `program`. */
  command(program: string, args: readonly string[]): Command
}

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly options: SpawnOptions
}

const run = promisify(execFile)

// Nothing of our environment: the server has no use for secrets and PG* variables, and its messages
// must be in English, because some are examined.
const options: SpawnOptions = {
  cwd: '/',
  env: { PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' },
}

/* c8 ignore next 4 -- Not reached by a run of the tests as root. */
const asOurselves: Launcher = {
  account: undefined,
  command: (file, args) => ({ file, args, options }),
}

/* c8 ignore start -- Reached only by root; the tests of it are skipped for others. */
function asAccount(account: Account): Launcher {
  return { account, command: (file, args) => ({ file, args, options: { ...options, ...account } }) }
}

/**
 * Runs as `account` with one capability of root's kept, to pass directories that are closed to it (a project
 * below /root). `no_setuid_fixup` makes access(2), by which PostgreSQL looks for its files, honour it as well.
 */
function withCapability(account: Account, capability: string): Launcher {
  const change = [
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    `--inh-caps=+${capability}`,
    `--ambient-caps=+${capability}`,
  ]
  return {
    account,
    command: (file, args) => ({
      file: 'setpriv',
      args: [...change, file, ...args],
      options,
    }),
  }
}

async function chooseForRoot(layout: Layout, binaries: Binaries): Promise<Launcher> {
  const account = await chooseAccount(layout)
  await run('chown', [`${account.uid}:${account.gid}`, layout.directory])
  // Containers usually grant root the second capability and not the first, which is the smaller one.
  const launchers = [
    asAccount(account),
    withCapability(account, 'dac_read_search'),
    withCapability(account, 'dac_override'),
  ]
  for (const launcher of launchers) if (await reaches(launcher, layout, binaries)) return launcher
  throw new EmbeddedPostgresError(
    `PostgreSQL refuses to run as root, and the user ${account.uid}, as which it would run, cannot reach ` +
      `${layout.directory} or ${dirname(binaries.postgres)}. Move the project to a place that every user can ` +
      'enter, run it as an ordinary user, or set APP_DATABASE__URL to a PostgreSQL server.',
  )
}

/** Whose the cluster is already, or else `postgres`, or else `nobody`. */
async function chooseAccount(layout: Layout): Promise<Account> {
  const owner = await stat(layout.cluster).catch(() => undefined)
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  return (await findAccount('postgres')) ?? (await findAccount('nobody')) ?? { uid: 65534, gid: 65534 }
}

async function findAccount(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

/** Tries it, rather than guess from modes: ACLs, mounts and missing capabilities have their say. */
async function reaches(launcher: Launcher, layout: Layout, binaries: Binaries): Promise<boolean> {
  const script = 'test -x "$1" && test -x "$2" && test -w "$3" && "$2" --version'
  const args = ['-c', script, 'sh', binaries.initdb, binaries.postgres, layout.directory]
  const result = await output(launcher.command('/bin/sh', args))
  return result.code === 0
}
/* c8 ignore stop */

/**
 * Chooses how to run the programs so that they can reach their own files and `layout.directory`, and makes
 * the account that they run as the owner of that directory.
 *
 * @throws Error when we are root and there is no way.
 */
export async function chooseLauncher(layout: Layout, binaries: Binaries): Promise<Launcher> {
  const isRoot = process.getuid?.() === 0
  /* c8 ignore next -- Each run of the tests takes one way. */
  return isRoot ? chooseForRoot(layout, binaries) : asOurselves
}

/** Runs a command to its end, or until the signal, and collects what it writes. */
export function output(
  command: Command,
  signal?: AbortSignal,
): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe']
    const child = spawn(command.file, command.args, { ...command.options, stdio, ...(signal && { signal }) })
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
    })
    child.stderr?.on('data', (chunk) => {
      text += chunk
    })
    child.on('error', (error) => resolve({ code: null, text: error.message }))
    child.on('close', (code) => resolve({ code, text }))
  })
}
