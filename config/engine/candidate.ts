import type { TomlTable, TomlValue } from 'smol-toml'
import type { Variables } from './variables.ts'

/** Input of the rules: the merged layers, valid or not, so that all problems are reported together. */
export interface Candidate {
  values: TomlTable
  sources: ReadonlyMap<string, string>
  environment: string
  /** Secrets that stand in committed files. */
  knownSecrets: ReadonlySet<TomlValue>
  /** Every variable of the process, including those of other programs. */
  variables: Variables
}
