import { KeyFileError, readKeyFile, type SigningKey } from './signing-keys.ts'

/** The keys that a service uses: one signs, all verify. */
export interface KeyRing {
  readonly signing: SigningKey & { readonly privateKey: string }
  /** Each once, and without the one that signs. */
  readonly others: readonly SigningKey[]
}

/** Key files that can't be used, by the setting that names them. */
export class KeyRingError extends Error {
  override name = 'KeyRingError'
  readonly problems: readonly { setting: keyof KeyFiles; message: string }[]

  constructor(problems: KeyRingError['problems']) {
    super(problems.map(({ message }) => message).join('; '))
    this.problems = problems
  }
}

/** The settings of the section `jwt` that name files. */
export interface KeyFiles {
  readonly signing_key_file?: string
  readonly verification_key_files: readonly string[]
}

/**
 * Reads all key files.
 *
 * @throws KeyRingError with everything that is wrong with them
 */
export async function readKeyRing({
  signing_key_file = '',
  verification_key_files,
}: KeyFiles): Promise<KeyRing> {
  const problems: { setting: keyof KeyFiles; message: string }[] = []
  const read = async (setting: keyof KeyFiles, file: string) => {
    try {
      return await readKeyFile(file)
    } catch (error) {
      /* c8 ignore next -- a fault of the program, not of a file */
      if (!(error instanceof KeyFileError)) throw error
      problems.push({ setting, message: error.message })
      return undefined
    }
  }

  const signing = await read('signing_key_file', signing_key_file)
  if (signing && !signs(signing)) {
    const message = `${signing.file} holds a public key, which cannot sign`
    problems.push({ setting: 'signing_key_file', message })
  }
  const others: SigningKey[] = []
  for (const file of verification_key_files) {
    const key = await read('verification_key_files', file)
    if (key) others.push(key)
  }
  if (!signing || !signs(signing) || problems.length > 0) throw new KeyRingError(problems)
  // During a rotation a key may well stand in both places.
  return { signing, others: distinct(others, signing.kid) }
}

function signs(key: SigningKey): key is KeyRing['signing'] {
  return key.privateKey !== undefined
}

function distinct(keys: readonly SigningKey[], known: string): SigningKey[] {
  const byId = new Map(keys.map((key) => [key.kid, key]))
  byId.delete(known)
  return [...byId.values()]
}
