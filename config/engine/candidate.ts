import type { TomlTable, TomlValue } from 'smol-toml'
import type { Variables } from './variables.ts'

/** What the rules look at: the merged layers, valid or not, so that all problems come out together. */
export interface Candidate {
  values: TomlTable
  sources: ReadonlyMap<string, string>
  environment: string
  /** Secrets that stand in committed files. */
  knownSecrets: ReadonlySet<TomlValue>
  /** Every variable of the process, for those of other programs. */
  variables: Variables
}
