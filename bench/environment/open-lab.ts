import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { autocannonGenerator } from '../load/autocannon.ts'
import type { Generator } from '../load/load.ts'
import { findWrk } from '../load/wrk.ts'
import { startPostgres } from './database.ts'
import { Lab, type LabOptions } from './lab.ts'

const DATA = join(import.meta.dirname, '../../.data/bench')

export interface OpenOptions extends Pick<LabOptions, 'sizes' | 'connections' | 'env' | 'guests' | 'onWork'> {
  /** The generator to use; by default wrk if it is installed, because it leaves the server more of the machine. */
  readonly generator: 'wrk' | 'autocannon' | undefined
}

/**
 * Starts a PostgreSQL of the run's own, calls `work` with a lab on it, and ends and deletes everything afterwards, also
 * when the run is interrupted.
 */
export async function withLab<T>(options: OpenOptions, work: (lab: Lab) => Promise<T>): Promise<T> {
  await mkdir(DATA, { recursive: true })
  const directory = await mkdtemp(join(DATA, 'run-'))
  // PostgreSQL may have to run as somebody else, who has to get through.
  await chmod(directory, 0o711)
  const endings: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })]
  const end = async () => {
    for (const ending of endings.splice(0).reverse()) await ending()
  }
  const interrupt = () => {
    void end().finally(() => process.exit(130))
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    options.onWork('starting PostgreSQL')
    const generator = await chooseGenerator(options.generator, directory)
    const postgres = await startPostgres(join(directory, 'postgres'))
    endings.push(() => postgres.stop())
    const lab = new Lab({ ...options, directory, generator, postgres })
    endings.push(() => lab.endServers())
    return await work(lab)
  } finally {
    await end()
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

/** @throws Error when wrk is asked for and not there */
async function chooseGenerator(name: OpenOptions['generator'], directory: string): Promise<Generator> {
  if (name === 'autocannon') return autocannonGenerator
  const wrk = await findWrk(directory)
  if (name === 'wrk' && !wrk) throw new Error('There is no wrk on the PATH.')
  return wrk ?? autocannonGenerator
}
