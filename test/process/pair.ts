import { type WorkerListener, WorkerProcess } from '#process/primary/worker-process.ts'
import { PrimaryLink } from '#process/worker/primary-link.ts'
import { testConfig } from '#test/support/helper.ts'
import { type Channel, end } from './channel.ts'

export const config = testConfig('postgres://a:b@127.0.0.1:1/c')
const sources = new Map([['server.port', 'default']])

/** A primary's side and a worker's, and what the primary was told. */
export function pair() {
  const [ours, theirs] = [end(), end()]
  const told: unknown[] = []
  const listener: WorkerListener = {
    collected: (_member, metrics) =>
      told.push(['collected', metrics.map(({ name }) => name).includes('things')]),
    read: async () => 'the metrics of all',
    logLevelsWanted: (levels) => told.push(['levels', levels]),
    stuck: ({ pid }) => told.push(['stuck', pid]),
  }
  const member = new WorkerProcess({ config, sources }, true, listener, ours.worker)
  ours.channel.other = theirs.channel
  theirs.channel.other = ours.channel
  const typesOf = (channel: Channel) => channel.sent.map(({ type }) => type)
  return { ours, theirs, told, listener, member, start: () => new PrimaryLink(theirs.worker), typesOf }
}
