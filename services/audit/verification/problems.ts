/** Kinds of problems of the log. */
export type ProblemKind =
  /** An entry is not what was sealed. */
  | 'entry_changed'
  /** A sealed entry, or one that waited to be sealed, is gone. */
  | 'entry_deleted'
  /** An entry was not written by the service. */
  | 'entry_inserted'
  /** An entry was changed or written by somebody else, and sealed so. */
  | 'entry_forged'
  /** An entry was kept from being sealed. */
  | 'entry_unsealed'
  /** Two entries, or two seals, have changed places. */
  | 'swapped'
  /** Personal data are not what the entry commits to. */
  | 'personal_data_changed'
  /** Seals are missing from the middle of a chain, or its beginning. */
  | 'seals_deleted'
  /** A seal does not follow from the one before it. */
  | 'seal_changed'
  /** A chain agrees with itself, and not with a checkpoint. */
  | 'chain_rewritten'
  /** The end of a chain was kept from coming under a checkpoint. */
  | 'seals_uncovered'
  /** The end of a chain, or of the checkpoints, is missing. */
  | 'truncated'
  | 'checkpoint_changed'
  | 'checkpoint_deleted'
  /** A checkpoint stands in the place of another. */
  | 'checkpoint_replayed'
  /** The beginning of a chain was deleted, and not by the service. */
  | 'cut_forged'

/** Something wrong, and where. */
export interface Problem {
  readonly kind: ProblemKind
  /** The chain's organization, or the nil UUID. */
  readonly org?: string
  /** Place in the chain; `last` for a range. */
  readonly seq?: number
  readonly last?: number
  readonly entry?: string
  /** Number of the checkpoint. */
  readonly checkpoint?: number
  /** A sentence for people. */
  readonly detail: string
}
