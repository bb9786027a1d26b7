import type { FilesContext, SpaceContext } from '#services/files/context.ts'
import type { Digests } from './digests.ts'

/** Fates of requests that bring bytes; `finished` brought the last of them. */
export const OUTCOMES = ['stored', 'finished', 'cut', 'taken_over', 'refused', 'failed'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** The parts that work on uploads needs. */
export interface UploadsContext extends FilesContext {
  readonly uploads: {
    /** Digests of what this instance has seen of unfinished uploads. */
    readonly digests: Digests
    /** Counts what became of requests that brought bytes. */
    count(outcome: Outcome): void
  }
}

export type UploadContext = SpaceContext<UploadsContext>
