import { cost } from './cost.ts'
import { events } from './events.ts'
import { list } from './list.ts'
import { live } from './live.ts'
import { login } from './login.ts'
import { me } from './me.ts'
import { mix } from './mix.ts'
import { projects } from './projects.ts'
import type { Scenario } from './scenario.ts'
import { storm } from './storm.ts'
import { tracing } from './tracing.ts'
import { workers } from './workers.ts'
import { writes } from './writes.ts'

/** In the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [
  live,
  me,
  list,
  writes,
  login,
  storm,
  mix,
  workers,
  cost,
  tracing,
  projects,
  events,
]

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
