import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Clamd } from '#lib/clamd/clamd.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startProcess, type TestProcess } from './process.ts'

/** Why tests that need clamd are skipped; false where it is. */
export const WITHOUT_CLAMD: string | false =
  spawnSync('clamd', ['--version']).status === 0 ? false : 'there is no clamd'

/** The test pattern of EICAR, which every scanner finds, in two halves so that none finds it here. */
export const MALWARE = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-', 'STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')

/** Bytes of the largest content that it takes. */
export const CLAMD_MAX_BYTES = 1024 * 1024

/** A real clamd of a test's own, whose only signature is that of the test pattern. */
export interface TestClamd {
  /** `tcp://...` */
  readonly address: string
  /** `unix://...` */
  readonly socket: string
  /** It hangs: connections are accepted, nothing is answered. */
  pause(): void
  resume(): void
  kill(): Promise<void>
  restart(): Promise<void>
}

/** Starts clamd on a free port; it ends with `t`. */
export async function startClamd(t: Test, { settings = '' } = {}): Promise<TestClamd> {
  // Not below the test's own folder: the path of a socket must be short.
  const folder = mkdtempSync(join(tmpdir(), 'clamd-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const port = await freePort()
  const signatures = join(folder, 'signatures')
  mkdirSync(signatures)
  writeFileSync(join(signatures, 'test.ndb'), `Test.Pattern:0:*:${Buffer.from(MALWARE).toString('hex')}\n`)
  const socket = join(folder, 'clamd.sock')
  const file = join(folder, 'clamd.conf')
  const lines = [
    ...['Foreground yes', 'TCPAddr 127.0.0.1', `TCPSocket ${port}`, `LocalSocket ${socket}`],
    ...[`DatabaseDirectory ${signatures}`, `TemporaryDirectory ${folder}`],
    ...[`StreamMaxLength ${CLAMD_MAX_BYTES}`, settings],
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const address = `tcp://127.0.0.1:${port}`
  let server: TestProcess | undefined
  async function restart(): Promise<void> {
    server = startProcess(t, 'clamd', ['--config-file', file])
    const isThere = () => new Clamd(address, 5000).version().then(Boolean, () => false)
    await eventually(isThere, 60)
  }
  await restart()
  // A process that is stopped does not end when asked to.
  t.teardown(() => server?.child.kill('SIGCONT'))
  return {
    address,
    socket: `unix://${socket}`,
    restart,
    pause: () => server?.child.kill('SIGSTOP'),
    resume: () => server?.child.kill('SIGCONT'),
    async kill() {
      server?.child.kill('SIGKILL')
      await server?.exited
    },
  }
}
