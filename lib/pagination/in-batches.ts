/**
 * Yields rows batch by batch, until a batch is not full.
 *
 * @param limit rows of a batch
 * @param read returns the rows after the last one of the batch before, as many as there are up to the limit
 */
export async function* inBatches<Row>(
  limit: number,
  read: (last: Row | undefined, limit: number) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  let last: Row | undefined
  while (true) {
    const rows = await read(last, limit)
    if (rows.length > 0) yield rows
    if (rows.length < limit) return
    last = rows.at(-1)
  }
}
