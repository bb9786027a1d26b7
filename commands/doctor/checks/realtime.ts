import { CentrifugoApi } from '#services/realtime/centrifugo/api.ts'
import { type Check, off, problem, wordsOf } from '../check.ts'

/** Whether the cluster that tells clients live what happens takes our key. */
const check: Check = {
  name: 'realtime',
  reads: ['realtime'],
  async run({ config: { realtime } }) {
    const { engine, centrifugo } = realtime
    if (engine !== 'centrifugo') {
      return [
        off(
          `realtime.engine is \`${engine}\`.`,
          'There is no cluster to look at.',
          'Set APP_REALTIME__ENGINE=centrifugo to use one.',
        ),
      ]
    }
    const { url = '', api_key: key = '' } = centrifugo
    try {
      await new CentrifugoApi({ url, key }).check()
      return []
    } catch (error) {
      return [
        problem(
          `Centrifugo cannot be used: ${wordsOf(error)}.`,
          'Clients hear nothing live; events wait until it is there.',
          'Start it, or correct APP_REALTIME__CENTRIFUGO__URL and APP_REALTIME__CENTRIFUGO__API_KEY.',
        ),
      ]
    }
  },
}
export default check
