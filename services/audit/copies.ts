import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { selectCheckpoints } from './verification/queries.ts'

/** A place outside the database that keeps copies of checkpoints: small files that are never replaced. */
export interface CopyPlace {
  /** For people: the directory, or the bucket's address. */
  readonly place: string
  /** Returns the file's text; undefined if it is not there. */
  read(name: string): Promise<string | undefined>
  /** Writes a file, which is there whole or not at all. */
  write(name: string, text: string): Promise<void>
  /** Returns the names of all files. */
  list(): Promise<string[]>
}

/** Where copies of checkpoints go, beside the log. */
export interface CopySettings {
  readonly copyPlaces: readonly CopyPlace[]
}

/** Checkpoints that are looked at for a copy that is missing: a day of them. */
const MAX_COPIES = 1440

/**
 * Writes the signed notes of the last checkpoint, and of those before it whose copy is missing, to every place outside
 * the database. No copy is ever replaced. A place that fails does not keep the others from their copies.
 *
 * @throws AggregateError when a place cannot be written to, or has another note for one of these checkpoints
 */
export async function keepCopies(
  { db, audit: { copyPlaces } }: Pick<Context, 'db'> & { readonly audit: CopySettings },
  last: number,
): Promise<void> {
  if (last === 0) return
  const kept = await Promise.allSettled(copyPlaces.map((place) => keepCopiesIn(db, place, last)))
  const errors = kept.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (errors.length > 0) throw new AggregateError(errors, errors.map(messageOf).join('; '))
}

async function keepCopiesIn(db: Context['db'], place: CopyPlace, last: number): Promise<void> {
  let copied = last - 1
  while (copied > Math.max(0, last - MAX_COPIES) && (await place.read(nameOf(copied))) === undefined) copied--
  for (const { number, note } of await selectCheckpoints(new SystemDatabase(db), copied, MAX_COPIES)) {
    const found = await place.read(nameOf(number))
    if (found === undefined) await place.write(nameOf(number), note)
    else if (found !== note)
      throw new Error(`${place.place} has another checkpoint ${number} than the database`)
  }
}

/** Reads the notes of a place, in the order of their numbers. */
export async function readCopies(place: CopyPlace): Promise<string[]> {
  const names = (await place.list()).filter((name) => name.endsWith('.txt')).sort()
  const texts: string[] = []
  for (const name of names) texts.push((await place.read(name)) ?? '')
  return texts
}

function nameOf(number: number): string {
  return `checkpoint-${String(number).padStart(12, '0')}.txt`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
