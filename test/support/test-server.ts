import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, realpathSync, statfsSync, writeFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import {
  type EmbeddedPostgres,
  removeUnusedServer,
  startEmbeddedPostgres,
} from '#lib/embedded-postgres/embedded-postgres.ts'
import { openLayout } from '#lib/embedded-postgres/layout.ts'
import { endPostmaster, findPostmaster } from '#lib/embedded-postgres/postmaster.ts'

const DATA = join(import.meta.dirname, '../../.data')

/** A folder in memory, on Linux. */
const MEMORY = '/dev/shm'

/** Begins the names of its folders that are ours. */
const PREFIX = `groundwork-test-${userInfo().uid}-`

/** The file in such a folder that names the data folder of the tree whose tests use it. */
const OWNER = 'owner'

/** The file in such a folder that has the id of the process that began the last whole run. */
const RUN = 'run'

/** Bytes of memory that the databases of a run have room in. */
const ROOM = 2 * 1024 ** 3

/** Starts the tests' PostgreSQL or joins it. What it keeps is lost in a crash, in exchange for speed. */
export async function startTestServer(options: { fresh: boolean }): Promise<EmbeddedPostgres> {
  const directory = testServerDirectory(DATA)
  if (options.fresh) {
    // tap, which has started this process before the first test file.
    writeFileSync(join(directory, RUN), String(process.ppid))
    await removeAbandoned()
  }
  return startEmbeddedPostgres({
    directory,
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      // A worker in the template database would be in the way of a clone.
      autovacuum: 'off',
      // What it reads is in memory, where workers that read for others only cost.
      io_method: 'sync',
      jit: 'off',
      max_connections: '200',
      // Milliseconds until two that wait for each other are found; tests of races bring that about on purpose.
      deadlock_timeout: '50ms',
      // Of the role's password, which every connection proves to know; guessing it is of no use.
      scram_iterations: '1',
    },
    fresh: options.fresh,
  })
}

/**
 * Returns where the server of a folder for data lies: in memory where there is room, because a database has 400 files,
 * and to make them takes 20 ms there and 400 ms on a disk. A process that comes later finds the folder that the first one
 * chose; so does a copy of the project with a link to this one's .data.
 */
export function testServerDirectory(folder: string): string {
  mkdirSync(folder, { recursive: true })
  const data = realpathSync(folder)
  const name = createHash('sha256').update(data).digest('hex').slice(0, 12)
  const inMemory = join(MEMORY, `${PREFIX}${name}`)
  if (!existsSync(inMemory) && !hasRoom()) return join(data, 'test')
  mkdirSync(inMemory, { recursive: true, mode: 0o700 })
  writeFileSync(join(inMemory, OWNER), data)
  return inMemory
}

/**
 * Ends test servers in memory that no run uses, because it was killed, and removes what they kept: all of it when the
 * tree is gone too, for no later run can find it.
 */
export async function removeAbandoned(memory = MEMORY): Promise<void> {
  if (!existsSync(memory)) return
  for (const name of readdirSync(memory).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(memory, name)
    const owner = await readFile(join(folder, OWNER), 'utf8').catch(() => undefined)
    if (owner === undefined || (await hasRun(folder))) continue
    if (existsSync(owner)) {
      await removeUnusedServer(folder)
      continue
    }
    const layout = await openLayout(folder)
    const postmaster = await findPostmaster(layout)
    if (postmaster) await endPostmaster(layout, postmaster.pid, 'SIGQUIT')
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Whether the process that began the last run lives: between two of its files nobody may use the server. */
async function hasRun(folder: string): Promise<boolean> {
  const pid = Number(await readFile(join(folder, RUN), 'utf8').catch(() => ''))
  if (!Number.isSafeInteger(pid) || pid <= 1) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function hasRoom(): boolean {
  if (!existsSync(MEMORY)) return false
  const { bavail, bsize } = statfsSync(MEMORY)
  return bavail * bsize >= ROOM
}
