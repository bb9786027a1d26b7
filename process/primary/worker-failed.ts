import type { End } from './worker-process.ts'

/** A worker ended before the service was ready, and so ends the whole. It has said why itself. */
export class WorkerFailed extends Error {
  override name = 'WorkerFailed'

  constructor({ code, signal }: End) {
    super(`A worker ended (${signal ?? `exit code ${code}`}) before the service was ready.`)
  }
}
