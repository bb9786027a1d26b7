import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Check, type Finding, type Patient, problem, wordsOf } from './check.ts'

/** What one check came to. */
export interface Result {
  readonly check: string
  readonly findings: readonly Finding[]
}

/** Milliseconds after which a check has found that something hangs. */
const PATIENCE = 20_000

const CHECKS = join(import.meta.dirname, 'checks')

/** Runs every check of checks/, all at once, and gives their results by name. */
export async function examine(patient: Patient): Promise<Result[]> {
  const files = (await readdir(CHECKS)).filter((file) => file.endsWith('.ts')).sort()
  const checks = await Promise.all(
    files.map(async (file) => {
      const { default: check }: { default: Check } = await import(join(CHECKS, file))
      return check
    }),
  )
  return Promise.all(
    checks.map(async (check) => ({ check: check.name, findings: await runPatiently(check, patient) })),
  )
}

async function runPatiently(check: Check, patient: Patient): Promise<readonly Finding[]> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no end within ${PATIENCE / 1000} s`)), PATIENCE)
  try {
    return await Promise.race([check.run(patient), promise])
  } catch (error) {
    return [
      problem(
        `The check could not be done: ${wordsOf(error)}`,
        'What it looks at is not known to be well.',
        'Mend what the words above name, and run the doctor again.',
      ),
    ]
  } finally {
    clearTimeout(timer)
  }
}
