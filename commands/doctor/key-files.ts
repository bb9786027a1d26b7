import { type KeyFiles, KeyRingError, readKeyRing } from '#lib/signing-keys/key-ring.ts'
import { type Finding, problem } from './check.ts'

/**
 * Looks at the key files that a section of the configuration names.
 *
 * @param danger what somebody can do who reads a key
 */
export async function lookAtKeyFiles(section: string, files: KeyFiles, danger: string): Promise<Finding[]> {
  try {
    const { signing, others } = await readKeyRing(files)
    return [signing, ...others]
      .filter(({ isExposed }) => isExposed)
      .map(({ file }) =>
        problem(
          `Every account of this machine can read ${file}.`,
          danger,
          `chmod 600 ${file}, and rotate the key (docs/signing-keys.md) if others work here.`,
        ),
      )
  } catch (error) {
    if (!(error instanceof KeyRingError)) throw error
    return error.problems.map(({ setting, message }) =>
      problem(
        `${section}.${setting}: ${message}`,
        'The service does not start without its keys.',
        'npm run keys -- new makes one; docs/signing-keys.md says where it goes.',
      ),
    )
  }
}
