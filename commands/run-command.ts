import '../node-version.js'
import { explainFailure } from '#lib/advice/explain-failure.ts'

/**
 * Does what a command was asked for: exits with 1 and says what to do when it fails, and with 2 and its usage for
 * arguments that it does not know.
 *
 * @param task what the arguments ask for; undefined when they are wrong
 */
export async function runCommand<T>(
  task: T | undefined,
  usage: string,
  work: (task: T) => Promise<void>,
): Promise<void> {
  offerHelp(usage)
  if (task === undefined) {
    refuseArguments(usage)
    return
  }
  try {
    await work(task)
  } catch (error) {
    note(explainFailure(error))
    process.exitCode = 1
  }
}

/** Says that the arguments are not what the command takes, and what it does take; it exits with 2 then. */
export function refuseArguments(usage: string): void {
  const given = process.argv.slice(2).map((argument) => JSON.stringify(argument))
  note(
    given.length === 0
      ? 'Arguments are missing.'
      : `These arguments are wrong, or some are missing: ${given.join(' ')}`,
  )
  process.stderr.write(usage)
  process.exitCode = 2
}

/** Says something beside the result, which can be piped. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Prints the usage and exits with 0 if it is asked for: `--help` or `-h`. Called before anything else is done. */
export function offerHelp(usage: string): void {
  if (!process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) return
  process.stdout.write(usage)
  process.exit(0)
}

/** Returns the path that may be the only argument, or the default; undefined for anything else, such as an option. */
export function parsePath([path, ...rest]: readonly string[], byDefault: string): string | undefined {
  if (path === undefined) return byDefault
  return rest.length === 0 && path !== '' && !path.startsWith('-') ? path : undefined
}
