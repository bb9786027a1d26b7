import { executionAsyncResource } from 'node:async_hooks'

/** One of the objects in which Node's `process.nextTick` keeps a call. */
const kept: object[] = []

/**
 * Keeps the hidden class of these objects alive. V8 forgets it when a collection finds none of them, makes a new one,
 * and then takes the slow way for each call until the process ends: a tenth of a request (docs/decisions/047). To be
 * called early, before the first collection of that kind.
 */
export function keepTickShape(): void {
  process.nextTick(() => {
    kept.push(executionAsyncResource())
  })
}
