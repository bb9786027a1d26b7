import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { variableName } from '#config/engine/keys.ts'
import type { SoundParts } from '#config/engine/sound-parts.ts'
import { type Check, type Finding, type Patient, problem, unchecked, wordsOf } from './check.ts'

/** Result of one check. */
export interface Result {
  readonly check: string
  readonly findings: readonly Finding[]
}

/** Milliseconds after which a check has found that something hangs. */
const CHECK_TIMEOUT_MS = 20_000

const CHECKS = join(import.meta.dirname, 'checks')

/** Joins names in a sentence: `A`, `A and B`, `A, B and C`. */
const LIST = new Intl.ListFormat('en-GB', { type: 'conjunction' })

/** The patient, whose configuration may have problems. */
interface Examined extends Omit<Patient, 'config'>, Pick<SoundParts, 'config' | 'broken'> {}

/** Runs every check of checks/, all at once, but those that rely on a broken key; returns their results by name. */
export async function examine(patient: Examined): Promise<Result[]> {
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

async function runPatiently(
  check: Check,
  { broken, config, ...patient }: Examined,
): Promise<readonly Finding[]> {
  const isRead = (path: string) => check.reads.some((read) => path === read || path.startsWith(`${read}.`))
  const keys = broken.filter(isRead)
  if (config === undefined || keys.length > 0) return [notRun(keys)]
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Hangs()), CHECK_TIMEOUT_MS)
  try {
    return await Promise.race([check.run({ ...patient, config }), promise])
  } catch (error) {
    if (error instanceof Hangs) return [hangs()]
    return [
      unchecked(
        `The check could not be done: ${wordsOf(error)}`,
        'What it looks at may be well or not.',
        'Fix what the words above name, and run the doctor again.',
      ),
    ]
  } finally {
    clearTimeout(timer)
  }
}

/** A check that has not ended in its time. */
class Hangs extends Error {}

function hangs(): Finding {
  return problem(
    `What it looks at does not answer: no end within ${CHECK_TIMEOUT_MS / 1000} s.`,
    'The service waits for it too, or does without.',
    'Look at the server, at the network between, and at firewalls that drop what they do not let through.',
  )
}

function notRun(keys: readonly string[]): Finding {
  const names = keys.length === 0 ? ['The configuration'] : [...new Set(keys.map(variableName))]
  const [are, them] = names.length === 1 ? ['is', 'it'] : ['are', 'them']
  return unchecked(
    `${LIST.format(names)} ${are} not valid, and this check relies on ${them}.`,
    'What it looks at may be well or not.',
    `Correct ${them}, as said above, and run the doctor again.`,
  )
}
