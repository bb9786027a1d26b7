import type { Variables } from '#config/engine/variables.ts'
import type { Config } from '#config/schema/schema.ts'

/**
 * A check's finding. A problem has to be fixed; a warning is for somebody to decide on. `unchecked`: nobody knows,
 * because it could not be looked at. `off`: there is nothing to look at, because it is not used.
 */
export interface Finding {
  readonly severity: 'problem' | 'warning' | 'unchecked' | 'off'
  /** The problem, in a sentence. */
  readonly what: string
  /** Why it matters. */
  readonly why: string
  /** How to fix it. */
  readonly how: string
}

/** The subject of the checks. */
export interface Patient {
  readonly config: Config
  readonly env: Variables
  /** Whether the rules of production hold. */
  readonly strict: boolean
}

/**
 * One thing that is looked at: the default export of a file in checks/, which is all it takes. It leaves
 * nothing behind, and reports what it cannot do as a finding.
 */
export interface Check {
  /** For people: `database`. */
  readonly name: string
  /** Paths of the keys, or of their sections, that it relies on; it is not run while one of them is broken. */
  readonly reads: readonly string[]
  run(patient: Patient): Promise<readonly Finding[]>
}

export function problem(what: string, why: string, how: string): Finding {
  return { severity: 'problem', what, why, how }
}

export function warning(what: string, why: string, how: string): Finding {
  return { severity: 'warning', what, why, how }
}

/** A subject that could not be checked, and so may be well or not. */
export function unchecked(what: string, why: string, how: string): Finding {
  return { severity: 'unchecked', what, why, how }
}

/** A part that is not used, and the setting that says so. */
export function off(what: string, why: string, how: string): Finding {
  return { severity: 'off', what, why, how }
}

/** An error in a few words. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
