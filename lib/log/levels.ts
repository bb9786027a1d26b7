import { LOG_MODULES, type LogLevels, type LogModule } from '#schemas/log-levels.ts'

/** The part of a pino logger that has a level. */
interface LevelledLog<L> {
  level: string
  warn(fields: object, message: string): void
  child(fields: object): L
}

/** The loggers of one process, whose levels can be changed while it runs. */
export class LogLevelControl<L extends LevelledLog<L>> {
  readonly #root: L
  readonly #configured: string
  readonly #modules: ReadonlyMap<LogModule, L>
  #current: LogLevels | undefined

  /** @param root with the level that the configuration says */
  constructor(root: L) {
    this.#root = root
    this.#configured = root.level
    this.#modules = new Map(LOG_MODULES.map((module) => [module, root.child({ module })]))
  }

  /** The logger of a module; its lines say so. */
  module(name: LogModule): L {
    return this.#modules.get(name) ?? this.#root
  }

  /** Current levels; a level of the configuration beyond those of `LogLevels` is the nearest of them. */
  get current(): LogLevels {
    return this.#current ?? { level: nearest(this.#configured) }
  }

  /** Goes to `debug`, or, when anything has been set before, back to what the configuration says. */
  toggle(): void {
    const levels = toggled(this.#current)
    if (levels) this.set(levels)
    this.#root.warn({ log_levels: levels ?? null }, 'log levels changed by a signal')
    if (!levels) this.reset()
  }

  /** Sets the levels. Requests that have begun keep theirs. */
  set(levels: LogLevels): void {
    this.#current = levels
    this.#apply(levels.level, levels.modules)
  }

  /** As the configuration says. */
  reset(): void {
    this.#current = undefined
    this.#apply(this.#configured)
  }

  #apply(level: string, modules: LogLevels['modules'] = {}): void {
    this.#root.level = level
    for (const [name, log] of this.#modules) log.level = modules[name] ?? level
  }
}

/** Meaning of the signal: everything at debug, or, if anything has been set before, back to the configuration. */
export function toggled(current: LogLevels | undefined): LogLevels | undefined {
  return current === undefined ? { level: 'debug' } : undefined
}

function nearest(level: string): LogLevels['level'] {
  switch (level) {
    case 'trace':
    case 'debug':
    case 'info':
    case 'warn':
      return level
    default:
      return 'error'
  }
}
