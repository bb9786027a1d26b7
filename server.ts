import './node-version.js'
import { loadConfig } from './config/load.ts'
import { explainFailure } from './lib/advice/explain-failure.ts'
import { LogDestination } from './lib/log/destination.ts'
import { useProxies } from './lib/network/proxies.ts'
import { say } from './process/announce.ts'
import { type Service, startService } from './process/service.ts'
import { endService, exit, Shutdown } from './process/shutdown.ts'
import { followSignals, leaveSignalsToPrimary } from './process/signals.ts'
import { keepTickShape } from './process/tick-shape.ts'
import { PrimaryLink } from './process/worker/primary-link.ts'

keepTickShape()
const logDestination = new LogDestination(process.stdout)
// Nobody need listen to what we say to people.
process.stderr.on('error', () => undefined)

/**
 * The process: configuration, database, application, listener, and an orderly end. With `server.workers` it
 * keeps others running that serve; they come here too, and get their configuration from it.
 */
async function main(): Promise<void> {
  const primary = PrimaryLink.find()
  if (primary) leaveSignalsToPrimary()
  const { config, sources } = primary ? await primary.task : loadConfig({ env: process.env })
  useProxies(process.env)
  const service: Service = { logDestination, primary }
  const starting = startService(service, { config, sources: new Map(sources) })
  followSignals(service, config, new Shutdown(service, config, starting))
  try {
    await starting
  } catch (error) {
    service.group?.stop('SIGTERM')
    // What goes wrong now is not what it is about.
    await endService(service).catch(() => undefined)
    throw error
  }
}

main().catch((error: unknown) => {
  say(explainFailure(error, { listening: true }))
  return exit({ logDestination }, 1)
})
