import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { environment, listening, startProcess } from '#test/support/process.ts'

const isMissing = ['bash', 'nohup', 'npm'].some((name) => spawnSync(name, ['--version']).error !== undefined)
const skip = process.platform !== 'linux' || isMissing ? 'needs Linux, bash, nohup and npm' : false

const STARTS = {
  'what nohup started, with npm between': 'nohup npm start',
  // Nothing that nohup does to streams is left, and the shells set `_` again.
  'what a script started that nohup started': `nohup bash -c 'cd . ; npm start; :' < /dev/null`,
  'what a script started that ignores the signal': `bash -c 'trap "" HUP; npm start; :' < /dev/null`,
}

for (const [name, command] of Object.entries(STARTS)) {
  t.test(`${name} outlives its terminal`, { skip }, async (t) => {
    const { url: database } = await createTestDatabase(t)
    const env = environment({ APP_ENVIRONMENT: 'test', APP_SERVER__PORT: '0', APP_DATABASE__URL: database })
    // A shell of a terminal, whose jobs are in its session.
    const shell = startProcess(t, 'bash', ['-c', `${command}; :`], { env, detached: true })
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
    await eventually(async () => !commandsOf(group).some((line) => line.includes('npm start')))
    const { pid } = await serving(group)
    t.equal((await call(`${url}/live`)).status, 200)

    process.kill(pid, 'SIGTERM')
    await eventually(async () => commandsOf(group).length === 0)
    await shell.exited
    const ends = shell
      .stdout()
      .split('\n')
      .filter((line) => line.includes('shutting down'))
    t.match(ends, [/"signal":"SIGTERM"/])
    t.equal(ends.length, 1, 'SIGHUP and the end of npm meant nothing')
  })
}

/** The process of a group that is left. */
async function serving(group: number): Promise<{ pid: number }> {
  const pids = membersOf(group).filter((pid) => commandLine(pid).includes('server.ts'))
  return { pid: pids.at(-1) ?? 0 }
}

function commandsOf(group: number): string[] {
  return membersOf(group).map(commandLine)
}

function membersOf(group: number): number[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,pgid='], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, pgid]) => pgid === -group)
    .map(([pid = 0]) => pid)
}

/** Empty once it has ended. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
