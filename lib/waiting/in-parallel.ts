/** Does work on each item, on so many at once; the first failure ends it. */
export async function inParallel<T>(
  items: AsyncIterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]()
  let hasFailed = false
  async function worker(): Promise<void> {
    while (!hasFailed) {
      const next = await iterator.next()
      if (next.done === true) return
      await work(next.value)
    }
  }
  const workers = Array.from({ length: atOnce }, () =>
    worker().catch((error: unknown) => {
      hasFailed = true
      throw error
    }),
  )
  const results = await Promise.allSettled(workers)
  await iterator.return?.()
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
