import { type Check, off } from '../check.ts'
import { lookAtKeyFiles } from '../key-files.ts'

const check: Check = {
  name: 'signing keys',
  reads: ['jwt'],
  async run({ config: { jwt } }) {
    if (jwt.algorithm === 'HS256') {
      return [
        off('jwt.algorithm is HS256: there are no key files.', 'jwt.secret signs.', 'docs/signing-keys.md'),
      ]
    }
    return lookAtKeyFiles('jwt', jwt, 'Anyone who reads it can sign access tokens for any open session.')
  },
}
export default check
