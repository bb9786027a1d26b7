import { cpus, release, totalmem, type } from 'node:os'

/** Where a run took place, and with what. */
export interface Machine {
  processor: string
  cores: number
  /** Bytes. */
  memory: number
  system: string
  node: string
  postgres: string
  generator: string
}

export function describeMachine(software: Pick<Machine, 'postgres' | 'generator'>): Machine {
  const processors = cpus()
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memory: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
    ...software,
  }
}
