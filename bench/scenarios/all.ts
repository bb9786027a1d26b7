import { live } from './live.ts'
import { me } from './me.ts'
import type { Scenario } from './scenario.ts'

/** In the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [live, me]

/**
 * The scenarios with these ids, or all.
 *
 * @throws Error for an id that there is not
 */
export function chooseScenarios(ids: readonly number[]): readonly Scenario[] {
  const unknown = ids.find((id) => !SCENARIOS.some((scenario) => scenario.id === id))
  if (unknown !== undefined) throw new Error(`There is no scenario ${unknown}.`)
  return ids.length === 0 ? SCENARIOS : SCENARIOS.filter(({ id }) => ids.includes(id))
}
