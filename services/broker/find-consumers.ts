import { exportsOf } from '#lib/discovery/exports-of.ts'
import { type EventConsumer, isConsumer } from './consumer.ts'

const SERVICES = new URL('../', import.meta.url)

/**
 * Returns every consumer that a services/<domain>/consumers.ts exports.
 *
 * @param services the folder of the domains; the project's own when left out
 */
export async function findConsumers(services = SERVICES): Promise<EventConsumer[]> {
  return (await exportsOf('consumers.ts', [services])).filter(isConsumer)
}
