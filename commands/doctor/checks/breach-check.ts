import { randomUUID } from 'node:crypto'
import { isBreached } from '#services/passwords/breached-passwords.ts'
import { type Check, off, problem, wordsOf } from '../check.ts'

/** The service that knows passwords from breaches, asked as for a new password. */
const check: Check = {
  name: 'breach check',
  reads: ['auth.breach_check'],
  async run({ config: { auth } }) {
    const { url, on_error } = auth.breach_check
    if (url === undefined) {
      const how = 'Set APP_AUTH__BREACH_CHECK__URL.'
      return [off('auth.breach_check.url is not set.', 'Passwords known from breaches are accepted.', how)]
    }
    try {
      await isBreached(auth.breach_check, randomUUID())
      return []
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      return [
        problem(
          `The breach check does not work: ${wordsOf(cause)}`,
          on_error === 'open'
            ? 'Passwords known from breaches are accepted (auth.breach_check.on_error is open).'
            : 'Nobody can choose a password (auth.breach_check.on_error is closed).',
          'Correct APP_AUTH__BREACH_CHECK__URL, or let the service reach it, through HTTPS_PROXY if need be.',
        ),
      ]
    }
  },
}
export default check
