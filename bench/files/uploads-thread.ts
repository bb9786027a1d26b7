/** A thread that sends uploads at a steady speed, and ends with them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { PIECE_BYTES, type Target, upload } from './requests.ts'

/** The task of the thread. */
export interface Uploads extends Target {
  readonly count: number
  /** Bytes of each. */
  readonly bytes: number
  /** Bytes a second of each. */
  readonly speed: number
}

const { count, bytes, speed, ...target }: Uploads = workerData
/** Milliseconds from one piece of an upload to its next. */
const interval = (PIECE_BYTES / speed) * 1000

await Promise.all(
  Array.from({ length: count }, async (_, n) => {
    // As clients that know nothing of each other, whose pieces do not come at the same moment.
    await sleep((interval * n) / count)
    await upload(target, bytes, speed)
  }),
)
