import { createInterface } from 'node:readline/promises'

/** A command did nothing because it was not confirmed; the message says how to go on. */
export class RefusedCommand extends Error {
  // Its words are for people (lib/advice/explain-failure.ts).
  override name = 'RefusedCommand'
}

/** Where a question is asked. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream
}

/**
 * Asks before something that loses data. `--yes` (`yes`) answers for scripts; without a terminal there is nobody to
 * ask.
 *
 * @param loss what will be lost, as a sentence
 * @throws RefusedCommand unless the answer is yes
 */
export async function confirmLoss(
  loss: string,
  yes: boolean,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (yes) return
  if (!input.isTTY) {
    throw new RefusedCommand(
      `${loss}\nNothing was done, because nobody can be asked here. Add --yes to go on.`,
    )
  }
  const terminal = createInterface({ input, output })
  try {
    const answer = await terminal.question(`${loss}\nType yes to go on: `)
    if (answer.trim().toLowerCase() !== 'yes') throw new RefusedCommand('Nothing was done.')
  } finally {
    terminal.close()
  }
}
