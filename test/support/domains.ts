/**
 * Takes the place of async-hook-domain, by which tap finds the test that an error belongs to that nobody caught. That
 * follows every promise by a hook and keeps the number of each until the promise is collected, which was a fifth of the
 * tests' processor time. Node carries the context of an AsyncLocalStorage along without a hook.
 */
import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from 'node:async_hooks'

/** Takes an error that nobody caught. */
type ErrorListener = (error: unknown, event: string) => void

const current = new AsyncLocalStorage<Domain>()
/** The domain of what happens outside of any test. */
let root: Domain | undefined
/** Domains that are not destroyed. */
let alive = 0

/** A test, and all that it causes; with the members that tap uses. */
export class Domain {
  readonly onerror: ErrorListener
  readonly parent: Domain | undefined
  destroyed = false

  constructor(onerror: ErrorListener) {
    this.onerror = onerror
    this.parent = found()
    // tap makes a test's domain inside of the resource in which it runs the test's function.
    const resource = executionAsyncResource()
    if (resource instanceof AsyncResource) this.#enterWith(resource)
    else root ??= this
    if (alive++ === 0) process.on('uncaughtExceptionMonitor', handle)
  }

  /** Leaves later errors to the domain around it. */
  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    if (--alive === 0) process.off('uncaughtExceptionMonitor', handle)
  }

  #enterWith(resource: AsyncResource): void {
    const enter = resource.runInAsyncScope.bind(resource)
    resource.runInAsyncScope = (fn, thisArg, ...args) =>
      enter(() => current.run(this, () => Reflect.apply(fn, thisArg, args)))
  }
}

/** The innermost domain that is not destroyed. */
function found(): Domain | undefined {
  let domain = current.getStore() ?? root
  while (domain?.destroyed) domain = domain.parent
  return domain
}

/** Passes an error to the test that it belongs to, in place of ending the process. */
function handle(error: unknown, event: string): void {
  if (process.hasUncaughtExceptionCaptureCallback() || process.listenerCount('uncaughtException') > 0) return
  const domain = found()
  if (domain === undefined) return
  domain.onerror(error, event)
  process.setUncaughtExceptionCaptureCallback(() => process.setUncaughtExceptionCaptureCallback(null))
}
