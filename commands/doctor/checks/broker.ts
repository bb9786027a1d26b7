import { NatsLink } from '#lib/nats/connection.ts'
import { type Check, off, problem, wordsOf } from '../check.ts'

/** Milliseconds. */
const TIMEOUT_MS = 5000

const check: Check = {
  name: 'message broker',
  reads: ['broker'],
  async run({ config: { broker } }) {
    if (broker.kind === 'none') {
      return [
        off(
          'The setting broker.kind has the value none.',
          'Events go to consumers in the service only.',
          'Set APP_BROKER__KIND and APP_BROKER__URLS.',
        ),
      ]
    }
    const link = new NatsLink({
      urls: broker.urls,
      timeoutMs: TIMEOUT_MS,
      // Refused where JetStream is not enabled.
      prepare: async ({ manager }) => {
        await manager.getAccountInfo()
      },
    })
    try {
      await link.session()
      return []
    } catch (error) {
      return [
        problem(
          `NATS JetStream cannot be used: ${wordsOf(error)}`,
          'Events wait, for events.retention at most; the service works without it otherwise.',
          'Start it with JetStream, or correct address, user and password in APP_BROKER__URLS.',
        ),
      ]
    } finally {
      await link.close()
    }
  },
}
export default check
