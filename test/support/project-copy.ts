import { chmod, cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { findPostmaster } from '#lib/embedded-postgres/postmaster.ts'
import { killServer } from '#test/support/embedded-servers.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Where Node keeps compiled code, in a tree. */
const CACHE = '.data/compile-cache'

/** Files that the service needs to run. */
const PARTS = [
  'app.ts',
  'server.ts',
  'package.json',
  'node-version.js',
  'admin',
  'commands',
  'lib',
  'migrations',
  'plugins',
  'process',
  'routes',
  'schemas',
  'services',
]

/** A copy of the project, with an embedded PostgreSQL of its own. */
export interface ProjectCopy {
  readonly directory: string
  /** Whether its PostgreSQL runs. */
  postgresRuns(): Promise<boolean>
}

/**
 * Lets a copy's processes take what was compiled of this tree, and leave what they compile: half of the processor time
 * of a start. They are told of it by `compileCache`.
 */
async function shareCompiled(directory: string): Promise<void> {
  await mkdir(join(ROOT, CACHE), { recursive: true })
  await mkdir(join(directory, dirname(CACHE)), { recursive: true })
  await symlink(join(ROOT, CACHE), join(directory, CACHE))
}

/** Copies the project to a temporary directory; it and what runs in it are gone when `t` ends. */
export async function copyProject(t: Pick<Test, 'teardown'>): Promise<ProjectCopy> {
  const directory = await mkdtemp(join(tmpdir(), 'groundwork-copy-'))
  // When we are root, PostgreSQL runs as another user, who must get there.
  await chmod(directory, 0o755)
  const data = join(directory, '.data/postgres')
  t.teardown(async () => {
    await killServer(data)
    await rm(directory, { recursive: true, maxRetries: 5 })
  })
  for (const part of PARTS) {
    await cp(join(ROOT, part), join(directory, part), { recursive: true })
  }
  // The configuration as it is in git, without what this machine adds to it.
  const filter = (source: string) => !source.endsWith('local.toml')
  await cp(join(ROOT, 'config'), join(directory, 'config'), { recursive: true, filter })
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  await shareCompiled(directory)
  return {
    directory,
    postgresRuns: async () => (await findPostmaster(await openLayout(data))) !== undefined,
  }
}
