import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { runScript } from './groups.ts'

/** A copy of the project, with a test server of its own that runs. */
export interface Project {
  readonly directory: string
  /** Folder in it for what its tests leave behind. */
  readonly temporary: string
  /** Names the groups of processes that end with this one; those that were named before have ended. */
  watch(...groups: (number | undefined)[]): void
  /** Stops the server and deletes the copy. */
  remove(): Promise<void>
}

/** Files that tests do not need, or must not share. */
const LEFT_OUT = new Set(['node_modules', '.git', '.data', '.tap', 'config/local.toml'])

/** Copies the project to a temporary directory. It and its server go with this process, also when that is killed. */
export async function copyProject(root: string): Promise<Project> {
  const directory = await mkdtemp(join(tmpdir(), 'groundwork-mutants-'))
  const keeper = startKeeper(directory)
  const watch = (...groups: (number | undefined)[]) => keeper.stdin?.write(`${groups.join(' ')}\n`)
  // When we are root, PostgreSQL runs as another user, who must get there.
  await chmod(directory, 0o755)
  await cp(root, directory, { recursive: true, filter: (source) => !LEFT_OUT.has(relative(root, source)) })
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  const temporary = join(directory, '.data/tmp')
  await mkdir(temporary, { recursive: true })
  await chmod(temporary, 0o1777)
  await runScript(directory, 'test/global-setup.ts', watch)
  watch()
  return {
    directory,
    temporary,
    watch,
    async remove() {
      const ended = new Promise((resolve) => keeper.once('exit', resolve))
      keeper.ref()
      keeper.stdin?.end()
      await ended
    },
  }
}

/** Starts the process that cleans up when its input ends, which a killed process cannot do for itself. */
function startKeeper(directory: string): ChildProcess {
  const keeper = spawn(process.execPath, [join(import.meta.dirname, 'keeper.ts'), directory], {
    // The terminal's Ctrl-C is not for it.
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  keeper.unref()
  return keeper
}
