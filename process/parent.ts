/** Milliseconds between looks. */
const CHECK_INTERVAL_MS = 500

/** Calls `onOrphaned`, once, when the process that started this one is gone. */
export function followParent(onOrphaned: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onOrphaned()
  }, CHECK_INTERVAL_MS)
  timer.unref()
}
