import { number, renderTable } from './table.ts'

/** Something to reach and what was. */
export interface Goal {
  name: string
  bound: 'at least' | 'at most'
  target: number
  unit: '' | 'ms' | 'KB' | 'MiB' | '/s'
  /** Absent when the run has not measured it. */
  reached?: number
  met?: boolean
}

/** Digits after the point. */
const DIGITS = { '': 2, ms: 0, KB: 1, MiB: 0, '/s': 0 } as const

/** Says whether a goal is met by what was reached, if anything was measured. */
export function judge(goal: Goal, reached: number | undefined): Goal {
  if (reached === undefined || Number.isNaN(reached)) return goal
  return {
    ...goal,
    reached,
    met: goal.bound === 'at least' ? reached >= goal.target : reached <= goal.target,
  }
}

/** The goals for people; those that were not measured are left out. */
export function renderGoals(goals: readonly Goal[]): string {
  const rows = goals.flatMap(({ name, bound, target, unit, reached, met }) =>
    reached === undefined
      ? []
      : [
          [
            name,
            `${bound} ${target} ${unit}`.trimEnd(),
            `${number(reached, DIGITS[unit])} ${unit}`.trimEnd(),
            met ? 'yes' : 'NO',
          ],
        ],
  )
  return rows.length === 0 ? '' : renderTable([['goal', 'target', 'reached', 'met'], ...rows])
}
