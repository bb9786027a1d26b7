const { eventLoopUtilization } = performance

/** Share of the time beyond which the loop is what there is too little of. */
const BUSY_UTILIZATION = 0.9

/** Milliseconds over which that is measured. */
const WINDOW_MS = 100

/** Returns a function that tells whether the event loop has hardly rested since its last call. */
export function watchEventLoop(): () => boolean {
  let since = eventLoopUtilization()
  let checked = performance.now()
  let isBusy = false
  return () => {
    const now = performance.now()
    if (now - checked < WINDOW_MS) return isBusy
    const current = eventLoopUtilization()
    isBusy = eventLoopUtilization(current, since).utilization > BUSY_UTILIZATION
    since = current
    checked = now
    return isBusy
  }
}
