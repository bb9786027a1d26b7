import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { offerHelp, refuseArguments } from '#commands/run-command.ts'
import { type BenchPostgres, startPostgres } from './environment/database.ts'

/** Where a benchmark with a command of its own works. */
export interface Place {
  /** A folder that is deleted at the end. */
  readonly directory: string
  readonly postgres: BenchPostgres
}

/** A benchmark with a command of its own, `npm run bench:NAME`. */
export interface OwnBench<Wanted> {
  readonly name: string
  readonly usage: string
  /** Reads the arguments; returns undefined, or throws, for some that it does not know. */
  readonly read: (args: string[]) => Wanted | undefined
  readonly work: (wanted: Wanted, place: Place) => Promise<void>
}

/** Runs a benchmark with a PostgreSQL of its own. The process exits with 1 when it fails, with 2 for unknown arguments. */
export async function runBench<Wanted>({ name, usage, read, work }: OwnBench<Wanted>): Promise<void> {
  offerHelp(usage)
  const wanted = attempt(() => read(process.argv.slice(2)))
  if (wanted === undefined) {
    refuseArguments(usage)
    return
  }
  const directory = await mkdtemp(join(tmpdir(), `bench-${name}-`))
  const postgres = await startPostgres(join(directory, 'cluster'))
  try {
    await work(wanted, { directory, postgres })
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
    process.exitCode = 1
  } finally {
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

function attempt<T>(read: () => T | undefined): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
