import { spawn } from 'node:child_process'
import { chmod, cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

/** A copy of the project, with a test server of its own that runs. */
export interface Project {
  readonly directory: string
  /** Stops the server and deletes the copy. */
  remove(): Promise<void>
}

/** Files that tests do not need, or must not share. */
const LEFT_OUT = new Set(['node_modules', '.git', '.data', '.tap', 'config/local.toml'])

/** Copies the project to a temporary directory. */
export async function copyProject(root: string): Promise<Project> {
  const directory = await mkdtemp(join(tmpdir(), 'groundwork-mutants-'))
  // When we are root, PostgreSQL runs as another user, who must get there.
  await chmod(directory, 0o755)
  await cp(root, directory, { recursive: true, filter: (source) => !LEFT_OUT.has(relative(root, source)) })
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
  await runScript(directory, 'test/global-setup.ts')
  return {
    directory,
    async remove() {
      await runScript(directory, 'test/global-teardown.ts')
      await rm(directory, { recursive: true, maxRetries: 5 })
    },
  }
}

/** Runs one of the scripts that tap runs before and after all tests. */
function runScript(directory: string, script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${script} ended with ${code}`))
    })
  })
}
