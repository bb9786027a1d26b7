import { exportsOf } from '#lib/discovery/exports-of.ts'
import { type EventType, isEventType } from './define-event.ts'

const SERVICES = new URL('../', import.meta.url)

/**
 * Returns every kind of event that a services/<domain>/events.ts exports, by type.
 *
 * @param services the folder of the domains; the project's own when left out
 * @throws Error when two have one type
 */
export async function findEventTypes(services = SERVICES): Promise<EventType[]> {
  const types = new Map<string, EventType>()
  for (const value of await exportsOf('events.ts', [services])) {
    if (!isEventType(value)) continue
    if (types.has(value.type)) throw new Error(`the event ${value.type} is defined twice`)
    types.set(value.type, value)
  }
  return [...types.values()].sort((a, b) => (a.type < b.type ? -1 : 1))
}
