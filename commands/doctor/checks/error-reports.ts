import { type Check, off, problem, wordsOf } from '../check.ts'
import { statusOf } from '../reach.ts'

/** The server that errors are reported to. It is not sent a report, so whether it takes our key is not known. */
const check: Check = {
  name: 'error reports',
  reads: ['errors'],
  async run({ config: { errors } }) {
    if (errors.dsn === undefined) {
      return [off('errors.dsn is not set.', 'Errors are counted and logged only.', 'Set APP_ERRORS__DSN.')]
    }
    const { origin } = new URL(errors.dsn)
    try {
      await statusOf(origin)
      return []
    } catch (error) {
      return [
        problem(
          `${origin} cannot be reached: ${wordsOf(error)}`,
          'Reports of errors are lost; the log has them.',
          'Correct APP_ERRORS__DSN, or let the service reach it, through HTTPS_PROXY if need be.',
        ),
      ]
    }
  },
}
export default check
