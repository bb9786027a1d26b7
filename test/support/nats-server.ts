import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream, jetstreamManager, type StoredMsg } from '@nats-io/jetstream'
import { connect, millis } from '@nats-io/transport-node'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startProcess, type TestProcess } from './process.ts'

/** Why tests that need nats-server are skipped; false where it is. */
export const WITHOUT_NATS: string | false =
  spawnSync('nats-server', ['--version']).status === 0 ? false : 'there is no nats-server'

/** A real nats-server of a test's own, with JetStream. */
export interface NatsServer {
  readonly url: string
  /** Every message of a stream, oldest first, read on a connection of its own; none if there is no stream. */
  messages(stream: string): Promise<StoredMsg[]>
  /** Milliseconds that a stream keeps messages. */
  maxAgeOf(stream: string): Promise<number>
  /** Deletes a stream while the server runs. */
  deleteStream(stream: string): Promise<void>
  /** Publishes a text, as somebody else may who knows the server. */
  publish(subject: string, text: string): Promise<void>
  /** Deletes every consumer of a stream while the server runs. */
  deleteConsumers(stream: string): Promise<void>
  /** It hangs: connections stay and are accepted, nothing is answered. */
  pause(): void
  resume(): void
  /** It dies; what it has stored stays. */
  kill(): Promise<void>
  /** Removes all that it has stored. */
  wipe(): Promise<void>
  /** It is there again, at the same place. */
  restart(): Promise<void>
}

interface NatsOptions {
  /** With `false` there is only the place for it. */
  readonly running?: boolean
  readonly user?: string
  readonly password?: string
}

/** Starts nats-server on a free port; it ends with `t`. */
export async function startNats(
  t: Test,
  { running = true, user = '', password = '' }: NatsOptions = {},
): Promise<NatsServer> {
  const port = await freePort()
  const store = await mkdtemp(join(tmpdir(), 'groundwork-nats-'))
  const signIn = user === '' ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
  let server: TestProcess | undefined

  async function withManager<T>(
    work: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>,
  ): Promise<T> {
    const names = user === '' ? {} : { user, pass: password }
    const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, ...names })
    try {
      return await work(await jetstreamManager(connection))
    } finally {
      await connection.close()
    }
  }
  const isThere = () =>
    withManager((manager) => manager.getAccountInfo()).then(
      () => true,
      () => false,
    )
  async function restart(): Promise<void> {
    const place = ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', store]
    server = startProcess(
      t,
      'nats-server',
      user === '' ? place : [...place, '--user', user, '--pass', password],
    )
    await eventually(isThere)
  }
  // After the process, which ends in the order of the teardowns.
  t.teardown(() => rm(store, { recursive: true, force: true }))
  if (running) await restart()
  t.teardown(() => server?.child.kill('SIGCONT'))
  return {
    url: `nats://${signIn}127.0.0.1:${port}`,
    messages: (stream) =>
      withManager(async (manager) => {
        const { state } = await manager.streams.info(stream).catch(() => ({ state: undefined }))
        const found: StoredMsg[] = []
        for (let seq = Math.max(1, state?.first_seq ?? 1); seq <= (state?.last_seq ?? 0); seq++) {
          const message = await manager.streams.getMessage(stream, { seq })
          if (message) found.push(message)
        }
        return found
      }),
    maxAgeOf: (stream) =>
      withManager(async (manager) => millis((await manager.streams.info(stream)).config.max_age)),
    deleteStream: (stream) =>
      withManager(async (manager) => {
        await manager.streams.delete(stream)
      }),
    async publish(subject, text) {
      const names = user === '' ? {} : { user, pass: password }
      const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, ...names })
      await jetstream(connection).publish(subject, text)
      await connection.close()
    },
    deleteConsumers: (stream) =>
      withManager(async (manager) => {
        for await (const { name } of manager.consumers.list(stream))
          await manager.consumers.delete(stream, name)
      }),
    pause: () => server?.child.kill('SIGSTOP'),
    resume: () => server?.child.kill('SIGCONT'),
    async kill() {
      server?.child.kill('SIGKILL')
      await server?.exited
    },
    async wipe() {
      await rm(store, { recursive: true, force: true })
    },
    restart,
  }
}
