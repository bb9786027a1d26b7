import type { Problem } from '#schemas/problem.ts'

/** A refusal of the service, in its own words. */
export class Refused extends Error {
  readonly problem: Problem
  /** Seconds after which it may be tried again, if the service said so. */
  readonly retryAfter: number | undefined

  constructor(problem: Problem, retryAfter?: number) {
    super(problem.detail ?? problem.title)
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

/** Thrown when a field holds something else than was asked for. */
export class Unfit extends Error {}

/** Somebody changed their mind, or is not signed in any more: nothing to tell them about. */
export class Abandoned extends Error {}

/** The problem that an answer tells of. A proxy in between may answer with something else. */
export async function problemOf(response: Response): Promise<Problem> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json')
  if (isProblem) return response.json()
  const { status } = response
  const title = `The answer was ${status}`
  const detail = `${title}, and not from the service: something in between has answered.`
  return { type: 'about:blank', code: 'unknown', title, detail, status, request_id: '' }
}
