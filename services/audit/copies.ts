import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where copies of checkpoints go. */
export interface CopySettings {
  /** Where checkpoints are written to, beside the log. */
  readonly checkpointDirectory: string | undefined
}

/**
 * Writes a signed note outside the database, where `audit.checkpoint_directory` is set. The file is there whole or not at
 * all.
 */
export async function keepCopy(
  { audit: { checkpointDirectory: directory } }: { readonly audit: CopySettings },
  number: number,
  note: string,
): Promise<void> {
  if (directory === undefined) return
  const file = join(directory, `checkpoint-${String(number).padStart(12, '0')}.txt`)
  await mkdir(directory, { recursive: true })
  await writeFile(`${file}.part`, note)
  await rename(`${file}.part`, file)
}
