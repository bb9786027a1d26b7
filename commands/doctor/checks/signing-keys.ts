import { KeyRingError, readKeyRing } from '#lib/signing-keys/key-ring.ts'
import { type Check, off, problem } from '../check.ts'

const check: Check = {
  name: 'signing keys',
  reads: ['jwt'],
  async run({ config: { jwt } }) {
    if (jwt.algorithm === 'HS256') {
      return [
        off('jwt.algorithm is HS256: there are no key files.', 'jwt.secret signs.', 'docs/signing-keys.md'),
      ]
    }
    try {
      const { signing, others } = await readKeyRing(jwt)
      return [signing, ...others]
        .filter(({ isExposed }) => isExposed)
        .map(({ file }) =>
          problem(
            `Every account of this machine can read ${file}.`,
            'Anyone who reads it can sign access tokens for any open session.',
            `chmod 600 ${file}, and rotate the key (docs/signing-keys.md) if others work here.`,
          ),
        )
    } catch (error) {
      if (!(error instanceof KeyRingError)) throw error
      return error.problems.map(({ setting, message }) =>
        problem(
          `jwt.${setting}: ${message}`,
          'The service does not start without its keys.',
          'npm run keys -- new makes one; docs/signing-keys.md says where it goes.',
        ),
      )
    }
  },
}
export default check
