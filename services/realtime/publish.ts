import type { SystemDatabase } from '#lib/database/scoped-database.ts'
import * as queries from './queries.ts'

/** Something to be told on a channel. */
export type Publication = Pick<queries.NewMessage, 'channel' | 'org' | 'data'>

/** Numbers publications in their order, stores them, and wakes those who tell them. Belongs in a transaction. */
export async function publish(db: SystemDatabase, publications: readonly Publication[]): Promise<void> {
  const first = await queries.takeNumbers(db, publications.length)
  const tops = await queries.selectTops(db, [...new Set(publications.map(({ channel }) => channel))])
  const messages = publications.map((publication, index) => {
    const seq = first + index
    const top = tops.get(publication.channel)
    // One that begins takes an offset that it cannot have had before.
    const offset = top === undefined ? seq : top + 1
    tops.set(publication.channel, offset)
    return { ...publication, seq, offset }
  })
  await queries.insertMessages(db, messages)
  await queries.wakeReaders(db)
}
