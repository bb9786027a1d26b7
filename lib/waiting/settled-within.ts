/**
 * Waits until work is done or has failed, and at most so many milliseconds; returns which of both it was. The timer ends
 * with the wait: one that goes on would keep a process alive that has nothing else to do.
 */
export function settledWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds, false)
    const settle = () => {
      clearTimeout(timer)
      resolve(true)
    }
    work.then(settle, settle)
  })
}
