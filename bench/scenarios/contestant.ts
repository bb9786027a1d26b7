import type { Generator, RequestTemplate } from '../load/load.ts'
import type { ServerProcess } from '../system/server-process.ts'

/** Result of one round of one contestant. */
export interface Sample {
  requests_per_second: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Microseconds of the server's processor time for each request; absent where the system does not tell. */
  cpu?: number
  /** Bytes of resident memory at the end. */
  memory?: number
  /** Answers of 4xx and 5xx, and requests without an answer. */
  failed: number
}

/** Something that is measured side by side with others. */
export interface Contestant {
  readonly name: string
  /** Whether it is the service; all else is there for comparison. */
  readonly isOwn: boolean
  measure(seconds: number): Promise<Sample>
}

export interface HttpContestant {
  name: string
  isOwn: boolean
  server: Pick<ServerProcess, 'origin' | 'usage' | 'emptyLog'>
  requests: readonly RequestTemplate[]
  connections: number
}

/** A server under load. */
export function httpContestant(generator: Generator, contestant: HttpContestant): Contestant {
  const { name, isOwn, server, requests, connections } = contestant
  return {
    name,
    isOwn,
    async measure(seconds) {
      await server.emptyLog()
      const before = await server.usage()
      const result = await generator.run({ origin: server.origin, requests, connections, seconds })
      const after = await server.usage()
      const answers = result.requests + result.refused
      return {
        requests_per_second: result.requests / result.seconds,
        p50: result.p50,
        p99: result.p99,
        failed: result.refused + result.errors,
        ...(before && after && answers > 0
          ? { cpu: ((after.cpu - before.cpu) / answers) * 1e6, memory: after.memory }
          : {}),
      }
    },
  }
}
