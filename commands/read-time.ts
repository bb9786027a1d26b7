const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/

/** Reads a day, or a time with its offset: without one it would depend on the machine's zone. Undefined for anything else. */
export function readTime(text: string): Date | undefined {
  const time = new Date(text)
  return TIME.test(text) && !Number.isNaN(time.getTime()) ? time : undefined
}
