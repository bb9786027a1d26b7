import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { environment, listening, startProcess } from '#test/support/process.ts'

const isMissing = ['bash', 'nohup', 'npm'].some((name) => spawnSync(name, ['--version']).error !== undefined)
const skip = process.platform !== 'linux' || isMissing ? 'needs Linux, bash, nohup and npm' : false

t.test('what nohup started outlives its terminal, with npm between', { skip }, async (t) => {
  const { url: database } = await createTestDatabase(t)
  const env = environment({ APP_ENVIRONMENT: 'test', APP_SERVER__PORT: '0', APP_DATABASE__URL: database })
  const shell = startProcess(t, 'bash', ['-c', 'nohup npm start'], { env, detached: true })
  const group = -Number(shell.child.pid)
  t.teardown(() => {
    try {
      process.kill(group, 'SIGKILL')
    } catch {
      // It has ended.
    }
  })
  const url = await listening(shell)
  // To all of its processes, as when a terminal is closed: npm ends of it.
  process.kill(group, 'SIGHUP')
  await eventually(async () => shell.child.exitCode !== null || shell.child.signalCode !== null)
  const { pid } = await serving(group)
  t.equal((await call(`${url}/live`)).status, 200)

  process.kill(pid, 'SIGTERM')
  await shell.exited
  const ends = shell
    .stdout()
    .split('\n')
    .filter((line) => line.includes('shutting down'))
  t.match(ends, [/"signal":"SIGTERM"/])
  t.equal(ends.length, 1, 'SIGHUP and the end of npm meant nothing')
})

/** The process of a group that is left. */
async function serving(group: number): Promise<{ pid: number }> {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,pgid='], { encoding: 'utf8' })
  const pids = stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, pgid]) => pgid === -group)
    .map(([pid = 0]) => pid)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('server.ts'))
  return { pid: pids.at(-1) ?? 0 }
}
