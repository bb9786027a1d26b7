import type { Database, Statement } from '#lib/database/database.ts'
import { intakeRecorder } from '#services/audit/recorders.ts'
import type { Occurrence, Recorder } from './occurrence.ts'
import { outbox, personalOutbox } from './outbox.ts'

/** Everything that is recorded of an occurrence, in one statement. */
const RECORDERS: readonly Recorder[] = [outbox, intakeRecorder]

/** The same of what one person alone is told. */
const PERSONAL_RECORDERS: readonly Recorder[] = [personalOutbox]

/** A statement's text, and the same with the recorders' inserts. */
interface Composed {
  readonly source: string
  readonly text: string
}

const composed = new Map<string, Composed>()

/**
 * Makes a statement that also records what it does, if it returns a row: both are there, or neither, in one round trip.
 * One occurrence is recorded, whichever number of rows it returns.
 */
function recording(statement: Statement, occurrence: Occurrence): Statement {
  const { name, text, values = [] } = statement
  const isPersonal = occurrence.toldTo !== null
  const recorders = isPersonal ? PERSONAL_RECORDERS : RECORDERS
  const ownName = `${name}:${isPersonal ? 'told' : 'event'}`
  let known = composed.get(ownName)
  if (known?.source !== text) {
    known = { source: text, text: compose(text, values.length, recorders) }
    composed.set(ownName, known)
  }
  const recorded = recorders.flatMap((recorder) => recorder.valuesOf(occurrence))
  return { ...statement, name: ownName, text: known.text, values: [...values, ...recorded], emits: true }
}

function compose(text: string, used: number, recorders: readonly Recorder[]): string {
  let count = used
  const inserts = recorders.map(({ insert, types }, index) => {
    const parameters = types.map((type) => `$${++count}::${type}`).join(', ')
    return `, recorded_${index} AS (${insert} SELECT ${parameters} WHERE EXISTS (SELECT FROM changed))`
  })
  return `WITH changed AS (${text})${inserts.join('')} SELECT * FROM changed`
}

/** A database for one statement, which records what the statement does. */
export class RecordingDatabase implements Database {
  readonly #db: Database
  readonly #occurrence: Occurrence
  #isUsed = false

  constructor(db: Database, occurrence: Occurrence) {
    this.#db = db
    this.#occurrence = occurrence
  }

  async query<Row extends object>(statement: Statement): Promise<Row[]> {
    if (this.#isUsed) throw new Error(`${this.#occurrence.type} is recorded with one statement`)
    this.#isUsed = true
    return this.#db.query<Row>(recording(statement, this.#occurrence))
  }

  /** @throws Error always: which of its statements would record is not said */
  async transaction(): Promise<never> {
    throw new Error(`${this.#occurrence.type} is recorded with one statement`)
  }
}

/** Records an occurrence with a statement of its own, for a transaction that has made the change. */
export async function record(db: Database, occurrence: Occurrence): Promise<void> {
  await db.query(recording({ name: 'record', text: 'SELECT true AS done' }, occurrence))
}
