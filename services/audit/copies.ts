import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from '#lib/context.ts'
import { SystemDatabase } from '#lib/database/scoped-database.ts'
import { isMissingFile } from '#lib/files/missing-file.ts'
import { selectCheckpoints } from './verification/queries.ts'

/** Where copies of checkpoints go. */
export interface CopySettings {
  /** Where checkpoints are written to, beside the log. */
  readonly checkpointDirectory: string | undefined
}

/** Checkpoints that are looked at for a copy that is missing: a day of them. */
const MAX_COPIES = 1440

/**
 * Writes the signed notes of the last checkpoint, and of those before it whose copy is missing, outside the database,
 * where `audit.checkpoint_directory` is set. A file is there whole or not at all, and is never replaced.
 *
 * @throws Error when the directory has another note for one of these checkpoints
 */
export async function keepCopies(
  { db, audit: { checkpointDirectory: directory } }: Pick<Context, 'db'> & { readonly audit: CopySettings },
  last: number,
): Promise<void> {
  if (directory === undefined || last === 0) return
  await mkdir(directory, { recursive: true })
  let copied = last - 1
  while (copied > Math.max(0, last - MAX_COPIES) && (await readCopy(directory, copied)) === undefined)
    copied--
  for (const { number, note } of await selectCheckpoints(new SystemDatabase(db), copied, MAX_COPIES)) {
    await keepCopy(directory, number, note)
  }
}

async function keepCopy(directory: string, number: number, note: string): Promise<void> {
  const found = await readCopy(directory, number)
  if (found === note) return
  if (found !== undefined) throw new Error(`${directory} has another checkpoint ${number} than the database`)
  const file = fileOf(directory, number)
  await writeFile(`${file}.part`, note)
  await rename(`${file}.part`, file)
}

async function readCopy(directory: string, number: number): Promise<string | undefined> {
  try {
    return await readFile(fileOf(directory, number), 'utf8')
  } catch (error) {
    if (isMissingFile(error)) return undefined
    throw error
  }
}

function fileOf(directory: string, number: number): string {
  return join(directory, `checkpoint-${String(number).padStart(12, '0')}.txt`)
}
