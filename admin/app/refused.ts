import type { Problem } from '#schemas/problem.ts'

/** A refusal of the service, in its own words. */
export class Refused extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title)
    this.problem = problem
  }
}

/** Thrown when a field holds something else than was asked for. */
export class Unfit extends Error {}

/** Somebody changed their mind, or is not signed in any more: nothing to tell them about. */
export class Abandoned extends Error {}
