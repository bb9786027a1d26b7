import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { findPostmaster } from '#lib/embedded-postgres/postmaster.ts'
import { eventually } from '#test/support/eventually.ts'
import { startProcess } from '#test/support/process.ts'
import { testServerDirectory } from '#test/support/test-server.ts'

/** Copies the project, starts what a test could be, and waits. */
const WAITING = `
import { spawn } from 'node:child_process'
import { copyProject } from './test/mutate/project.ts'
const project = await copyProject(process.cwd())
const { pid } = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
project.watch(pid)
console.log(JSON.stringify({ directory: project.directory, test: pid }))
setInterval(() => {}, 1000)
`

t.test('a killed run leaves no copy, no PostgreSQL and no test', async (t) => {
  const temporary = temporaryFolder(t)
  const run = startProcess(t, process.execPath, ['--input-type=module-typescript', '--eval', WAITING], {
    env: { ...process.env, TMPDIR: temporary },
  })
  await eventually(async () => run.stdout().includes('\n'))
  const { directory, test }: { directory: string; test: number } = JSON.parse(run.stdout())
  const data = testServerDirectory(join(directory, '.data'))
  const postgres = await findPostmaster(await openLayout(data))
  if (postgres === undefined) throw new Error('the copy has no PostgreSQL')
  t.ok(isAlive(test))
  run.child.kill('SIGKILL')
  await eventually(async () => !existsSync(directory))
  t.notOk(existsSync(data))
  // Their numbers are free once another process has collected them.
  await eventually(async () => !isAlive(postgres.pid) && !isAlive(test))
})

t.test('one that is asked to end does so in the middle of a test', async (t) => {
  const temporary = temporaryFolder(t)
  const args = ['lib/html/html.ts', '--test', 'test/lib/cache/cache.test.ts', '--fresh']
  const run = startProcess(t, process.execPath, ['test/mutate/main.ts', ...args], {
    env: { ...process.env, TMPDIR: temporary },
  })
  const copies = () => readdirSync(temporary).filter((name) => name.startsWith('groundwork-mutants-'))
  const queues = () => copies().flatMap((name) => listed(join(temporary, name, '.data/tmp')))
  await eventually(async () => queues().length > 0)
  run.child.kill('SIGTERM')
  const { code } = await run.exited
  t.equal(code, 0)
  t.match(run.stdout(), /were not tried/)
  t.same(copies(), [])
})

function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'groundwork-mutate-'))
  // As root, PostgreSQL runs as another user, who must get there.
  chmodSync(folder, 0o755)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function listed(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
