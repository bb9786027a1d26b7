import type { Config } from '#config/schema/schema.ts'
import type { LogLevels } from '#schemas/log-levels.ts'
import type { MetricData } from './metric-data.ts'

/** Messages from the primary to a worker. They travel as JSON. */
export type ToWorker =
  /** Start with this configuration, of which each key came from there. The first one tells people where the service is. */
  | { type: 'serve'; config: Config; sources: readonly (readonly [string, string])[]; first: boolean }
  /** End as a single process does at this signal. */
  | { type: 'stop'; signal: NodeJS.Signals }
  /** End because another has taken over, without looking like an instance that goes away. */
  | { type: 'retire' }
  /** End now. */
  | { type: 'abort' }
  /** Send your metrics. */
  | { type: 'collect'; id: number }
  /** The metrics of all, or null when that failed. */
  | { type: 'read'; id: number; text: string | null }
  /** Log at these levels, or as the configuration says. */
  | { type: 'log_levels'; levels: LogLevels | null }
  /** Say that you are not stuck. */
  | { type: 'ping' }

/** Messages from a worker to the primary. */
export type ToPrimary =
  /** It can hear. */
  | { type: 'online' }
  /** It takes connections, on this port. */
  | { type: 'listening'; port: number }
  /** Its /ready was ok for the first time. */
  | { type: 'ready' }
  /** Its metrics, requested by that id; without an id its last, because it ends. */
  | { type: 'collected'; id: number | null; metrics: MetricData[] }
  /** Somebody wants all to log at these levels. */
  | { type: 'log_levels'; levels: LogLevels }
  /** Somebody wants the metrics of all. */
  | { type: 'read'; id: number }
  | { type: 'pong' }
