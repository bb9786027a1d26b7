import type { Context } from '#lib/context.ts'
import type { Jobs } from '#lib/jobs/jobs.ts'
import type { StorageContext } from '#services/storage/storage.ts'

/** Fates of copies that were to be made; `failed` is tried again. */
export const VARIANT_OUTCOMES = ['made', 'impossible', 'failed'] as const
export type VariantOutcome = (typeof VARIANT_OUTCOMES)[number]

/** The parts that work on smaller copies of images needs. */
export interface VariantsContext extends Context, StorageContext {
  readonly jobs: Jobs
  readonly variants: {
    /** Whether copies are made here. */
    readonly isEnabled: boolean
    /** Bytes and pixels that an image may have. */
    readonly maxSize: number
    readonly maxPixels: number
    /** Bytes of memory that making a copy may take. */
    readonly maxMemory: number
    count(outcome: VariantOutcome): void
  }
}
