/** No answer came in time. */
export class NoAnswer extends Error {
  constructor(milliseconds: number) {
    super(`there was no answer within ${milliseconds} ms`)
    this.name = 'NoAnswer'
  }
}

/** Number of parts in which the time is counted. */
const PARTS = 4

/**
 * Waits for an answer from outside the process, counting only milliseconds in which the event loop turned. On
 * a busy loop, timers fire late, and before an answer is read that arrived long ago. So the time is counted in
 * parts: a blocked loop loses only one of them, and at the end the loop gets a turn to read what has arrived.
 *
 * @param work continues after the timeout; an error that it then throws is ignored
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
