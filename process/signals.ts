import { isatty } from 'node:tty'
import { loadConfig } from '#config/load.ts'
import type { Config } from '#config/schema/schema.ts'
import { outlivesTerminal } from './hang-up.ts'
import { followParent } from './parent.ts'
import type { WorkerGroup } from './primary/worker-group.ts'
import { isPrimary, type Service } from './service.ts'
import type { Shutdown } from './shutdown.ts'
import type { PrimaryLink } from './worker/primary-link.ts'

/** SIGHUP comes from a terminal that is closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The ways in which it ends. */
type Ends = Pick<Shutdown, 'begin' | 'exitNow' | 'onSignal' | 'onError' | 'isUnderWay'>

/** Ends or restarts the service, or changes its log levels, when a signal, an error or the primary asks for it. */
export function followSignals(service: Service, config: Config, shutdown: Ends): void {
  process.on('SIGUSR2', () => toggleDebug(service))
  // Unhandled rejections come here too.
  process.on('uncaughtException', (err) => shutdown.onError(err))
  if (service.primary) followPrimary(service.primary, shutdown)
  else followTerminal(service, config, shutdown)
}

/** A Ctrl-C reaches every process of a terminal; what it means for workers, the primary says. */
export function leaveSignalsToPrimary(): void {
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => undefined)
}

function followPrimary(primary: PrimaryLink, shutdown: Ends): void {
  process.on('SIGTERM', (signal) => shutdown.begin({ signal }))
  primary.follow({
    stop: (signal) => shutdown.begin({ signal }),
    retire: () => shutdown.begin({ restart: true }),
    abort: () => shutdown.exitNow({}, 'told to exit at once'),
    orphaned: () => shutdown.begin({ err: new Error('the primary process is gone') }),
  })
}

function followTerminal(service: Service, config: Config, shutdown: Ends): void {
  const leads = isPrimary(service, config)
  const outlives = outlivesTerminal()
  const onSignal = (signal: NodeJS.Signals) => shutdown.onSignal(signal)
  for (const signal of SIGNALS) {
    // From a terminal SIGHUP means that it is closed, and not that there is something new.
    if (signal === 'SIGHUP' && leads && !isatty(0)) {
      process.on(signal, () => shutdown.isUnderWay || restart(service.group))
    }
    // Without a listener Node would end the process.
    else if (signal === 'SIGHUP' && outlives) process.on(signal, () => undefined)
    else process.on(signal, onSignal)
  }
  // The shell that npm put between itself and us need not pass signals on, and would leave us behind. By nohup we
  // are to be left behind: npm ends with its terminal.
  if (!outlives && process.env['npm_lifecycle_event'] !== undefined) followParent(() => onSignal('SIGTERM'))
}

/**
 * Has new workers take the place of the old ones, with the configuration as it is now; the environment's
 * variables are those of this process's start.
 */
function restart(group: WorkerGroup | undefined): void {
  try {
    group?.restart(loadConfig({ env: process.env }))
  } catch (err) {
    group?.log.error({ err }, 'not restarting: the workers go on as they are')
  }
}

/** Logs everything from `debug` on, or, when levels were changed before, as the configuration says. */
function toggleDebug({ app, group, primary }: Service): void {
  // To a worker its primary says what it was told; before there is a logger there is nothing to set.
  if (primary) return
  group?.toggleLogLevels()
  app?.logLevels.toggle()
}
