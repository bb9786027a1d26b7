import type { KeyObject } from 'node:crypto'
import type { Clamd } from '#lib/clamd/clamd.ts'
import type { Context } from '#lib/context.ts'
import type { OrgDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import type { Jobs } from '#lib/jobs/jobs.ts'
import type { OrgContext, PersonalContext } from '#services/members/membership.ts'
import type { StorageContext } from '#services/storage/storage.ts'

/** Fates of what was to be scanned; `passed` and `held` were not, and `failed` is tried again. */
export const SCAN_OUTCOMES = ['clean', 'infected', 'passed', 'held', 'failed'] as const
export type ScanOutcome = (typeof SCAN_OUTCOMES)[number]

/** How content is scanned for malware. */
export interface Scanning {
  readonly scanner: Pick<Clamd, 'scan'>
  /** Bytes of the largest content that is scanned. */
  readonly maxSize: number
  /** Whether nobody reads what could not be scanned. */
  readonly isHeld: boolean
}

/** The parts that work on files needs. */
export interface FilesContext extends Context, StorageContext {
  readonly jobs: Jobs
  readonly files: {
    /** Bytes that a file may have. */
    readonly maxSize: number
    /** Bytes that the files of one user may have. */
    readonly quotaPerUser: number
    readonly quotaPerOrganization: number
    /** Milliseconds for which a deleted file can be restored. */
    readonly trashMs: number
    /** Milliseconds for which a file may be without content. */
    readonly emptyMs: number
    /** Milliseconds for which a link may work. */
    readonly linkMs: number
    /** Signs links. */
    readonly linkKey: KeyObject
    /** Beginning of links, without a trailing slash. */
    readonly linkBase: string
    /** Undefined where no content is scanned. */
    readonly scanning: Scanning | undefined
    /** Counts what became of contents that were to be scanned. */
    countScan(outcome: ScanOutcome): void
  }
}

/** The context of work with the files of one organization, or of one user. */
export type SpaceContext<C extends Context = FilesContext> = (OrgContext<C> | PersonalContext<C>) & {
  /** The person who does it; null for an API key. */
  readonly author: string | null
}

/** The id of whom the files belong to. */
export function spaceOf(db: OrgDatabase | UserDatabase): string {
  return 'org' in db ? db.org : db.user
}
