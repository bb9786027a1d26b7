import { spawnSync } from 'node:child_process'
import { createClient } from '@redis/client'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startProcess, type TestProcess } from './process.ts'

/** Why tests that need redis-server are skipped; false where it is. */
export const WITHOUT_REDIS: string | false =
  spawnSync('redis-server', ['--version']).status === 0 ? false : 'there is no redis-server'

/** A real redis-server of a test's own, which keeps nothing on disk. */
export interface RedisServer {
  readonly url: string
  /** Sends one command on a connection of its own, outside of what is tested. */
  command(...words: string[]): Promise<unknown>
  /** It hangs: connections stay and are accepted, nothing is answered. */
  pause(): void
  resume(): void
  /** It dies, and what it held is gone. */
  kill(): Promise<void>
  /** It is there again, at the same place. */
  restart(): Promise<void>
}

/** Starts redis-server on a free port; it ends with `t`. With `running: false` there is only the place for it. */
export async function startRedis(
  t: Test,
  { running = true, password = '' }: { running?: boolean; password?: string } = {},
): Promise<RedisServer> {
  const port = await freePort()
  const url = `redis://${password === '' ? '' : `:${password}@`}127.0.0.1:${port}/0`
  let server: TestProcess | undefined

  async function command(...words: string[]): Promise<unknown> {
    const client = createClient({ url, socket: { reconnectStrategy: false } })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await client.sendCommand(words)
    } finally {
      client.destroy()
    }
  }
  async function restart(): Promise<void> {
    const place = ['--bind', '127.0.0.1', '--port', String(port)]
    const options = [...place, '--requirepass', password, '--save', '', '--appendonly', 'no']
    server = startProcess(t, 'redis-server', options)
    await eventually(() =>
      command('PING').then(
        () => true,
        () => false,
      ),
    )
  }
  if (running) await restart()
  // A process that is stopped does not end when asked to.
  t.teardown(() => server?.child.kill('SIGCONT'))
  return {
    url,
    command,
    restart,
    pause: () => server?.child.kill('SIGSTOP'),
    resume: () => server?.child.kill('SIGCONT'),
    async kill() {
      server?.child.kill('SIGKILL')
      await server?.exited
    },
  }
}
