import type { Lab } from '../environment/lab.ts'
import { offers, requestsOf, type Subject } from '../environment/subject.ts'
import type { OperationName } from '../targets/target.ts'
import { type Contestant, httpContestant } from './contestant.ts'

/** A measured number other than a rate, such as a size. */
export interface Figure {
  name: string
  value: number
  unit: 'ms' | 'bytes' | 's' | '/s'
}

/** A question that a run answers: contestants in turn, or figures. */
export interface Scenario {
  readonly id: number
  /** Names its chart. */
  readonly slug: string
  readonly title: string
  /** The quantity in its chart; requests a second by default. */
  readonly chart?: 'p99'
  /** Why it can't be measured here; absent when it can. */
  readonly skip?: string | undefined
  contestants?(lab: Lab): Promise<Contestant[]>
  figures?(lab: Lab, options: FigureOptions): Promise<Figure[]>
}

export interface FigureOptions {
  /** Fewer and shorter measurements. */
  readonly quick: boolean
  readonly onWork: (what: string) => void
}

/** The subject under load of one operation. */
export function underLoad(
  lab: Lab,
  subject: Subject,
  operation: OperationName,
  { name = subject.target.name, users = 1, connections = lab.options.connections } = {},
): Contestant {
  const requests = requestsOf(subject, operation, users)
  return httpContestant(lab.options.generator, {
    name,
    isOwn: subject.isOwn,
    server: subject.server,
    requests,
    connections,
  })
}

/** Those of the guests that offer the operation, under load of it. */
export function guestsUnderLoad(
  lab: Lab,
  guests: readonly Subject[],
  operation: OperationName,
  options: { connections?: number; users?: number; suffix?: string } = {},
): Contestant[] {
  const { suffix = '', ...load } = options
  return guests
    .filter((guest) => offers(guest, operation))
    .map((guest) => underLoad(lab, guest, operation, { ...load, name: `${guest.target.name}${suffix}` }))
}
