/** There was no answer in time. */
export class NoAnswer extends Error {
  constructor(milliseconds: number) {
    super(`there was no answer within ${milliseconds} ms`)
    this.name = 'NoAnswer'
  }
}

/** Parts that the time is waited for in. */
const PARTS = 4

/**
 * Waits for an answer from outside of the process, for so many milliseconds in which the event loop turned. On
 * a busy loop timers fire late, and before an answer is read that has long arrived; so the time is counted in
 * parts, of which a loop that stood still loses one, and in the end the loop gets a turn to read what is there.
 *
 * @param work goes on when it is not waited for any more; what it then throws is dropped
 * @throws NoAnswer
 */
export function answerWithin<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let left = PARTS
    let immediate: NodeJS.Immediate | undefined
    const timer = setTimeout(() => {
      left--
      if (left > 0) timer.refresh()
      else immediate = setImmediate(() => reject(new NoAnswer(milliseconds)))
    }, milliseconds / PARTS)
    const stop = () => {
      clearTimeout(timer)
      clearImmediate(immediate)
    }
    work.then(
      (value) => {
        stop()
        resolve(value)
      },
      (error: unknown) => {
        stop()
        reject(error)
      },
    )
  })
}
