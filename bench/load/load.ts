/** A request as it is sent again and again. */
export interface RequestTemplate {
  method: string
  /** From the root, with its query. */
  path: string
  headers: Record<string, string>
  /** In it, `{n}` stands for a number that is used once in a run. */
  body?: string
}

/** The requests to send: closed-loop, each connection sends its next request when the last was answered. */
export interface Load {
  /** Origin of the server, without a trailing slash. */
  origin: string
  /** Sent in turn. */
  requests: readonly RequestTemplate[]
  connections: number
  seconds: number
}

/** The result, from either generator. */
export interface LoadResult {
  /** That were answered as they should be: 2xx or 3xx. */
  requests: number
  seconds: number
  /** Milliseconds, of all answers. */
  p50: number
  p99: number
  /** Answers of 4xx and 5xx. */
  refused: number
  /** Connections that failed, and answers that did not come. */
  errors: number
}

/** Sends loads. */
export interface Generator {
  readonly name: string
  run(load: Load): Promise<LoadResult>
}

/** Stands for a number that is used once. */
export const PLACEHOLDER = '{n}'

let next = 0

/** Numbers that no other load of this process has: the first of `count`. */
export function reserveNumbers(count: number): number {
  const first = next
  next += count
  return first
}

/** The number that the next load begins with. */
export function nextNumber(): number {
  return next
}
