import type { ActingParty, Context } from '#lib/context.ts'
import type { SystemDatabase } from '#lib/database/scoped-database.ts'

/** An event as it waits in the outbox. */
export interface OutboxEvent {
  readonly id: string
  /** Null for what happens to people and to the service as a whole. */
  readonly organization_id: string | null
  readonly type: string
  readonly version: number
  readonly subject: { readonly type: string; readonly id: string }
  readonly actor: ActingParty
  readonly request_id: string | null
  /** The admin who acted in the actor's place, if one did. */
  readonly impersonator_id: string | null
  /** The one person who is told; null for everybody whose business it is. Only realtime gets events with one. */
  readonly told_to: string | null
  /** JSON. */
  readonly data: string
  /** RFC 3339. */
  readonly occurred_at: string
}

/** Columns of `events` that say when a sink took an event. */
export type SinkColumn = 'fanned_out_at' | 'broker_at' | 'realtime_at'

/** Somewhere that every event goes. */
export interface Sink<Ctx extends Context = Context> {
  /** Names it in metrics and logs. */
  readonly name: string
  readonly column: SinkColumn
  /** Events that it takes at once. */
  readonly batch: number
  /** Whether one relay at a time brings it events, so that it gets them in one order. */
  readonly isOrdered?: true
  /** Milliseconds between looks while events come; a relay's own choice when left out. */
  readonly busyMs?: number
  /** Whether this service has it at all; otherwise events wait for it as long as they are kept. */
  readonly isUsed: (ctx: Ctx) => boolean
  /**
   * Takes a batch in the transaction that notes so, whose rows no other relay has. What it does elsewhere may be repeated,
   * as the commit can fail after it: then the same events come again, with the same ids. Within the database it is done once.
   *
   * @returns ids of the events that it took; the others come again
   * @throws what keeps it from taking any
   */
  readonly take: (
    ctx: Omit<Ctx, 'db'> & { readonly db: SystemDatabase },
    events: readonly OutboxEvent[],
  ) => Promise<readonly string[]>
}

const definitions = new WeakSet<object>()

/** Declares a sink. What services/<domain>/sink.ts exports is found by the relay itself. */
export function defineSink<Ctx extends Context>(sink: Sink<Ctx>): Sink<Ctx> {
  definitions.add(sink)
  return sink
}

/** Whether a module's export is a sink. */
export function isSink<Ctx extends Context>(value: unknown): value is Sink<Ctx> {
  return typeof value === 'object' && value !== null && definitions.has(value)
}
