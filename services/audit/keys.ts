import type { NoteKey } from '#lib/signed-note/signed-note.ts'
import type { KeyRing } from '#lib/signing-keys/key-ring.ts'
import type { EntryMacs } from './macs.ts'

/** Keys of the audit log; the database has none of them. */
export interface AuditKeys {
  /** Mark entries as the service's own. */
  readonly macs: EntryMacs
  /** Sign checkpoints; undefined without `audit.signing_key_file`. */
  readonly keyRing: KeyRing | undefined
  /** Check the signatures of checkpoints. */
  readonly noteKeys: readonly NoteKey[]
}

/** The keys with which notes of this ring are checked. */
export function noteKeysOf(ring: KeyRing | undefined): NoteKey[] {
  return ring === undefined ? [] : [ring.signing, ...ring.others]
}
