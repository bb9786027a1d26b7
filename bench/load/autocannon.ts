import autocannon from 'autocannon'
import packageJson from 'autocannon/package.json' with { type: 'json' }
import {
  type Generator,
  type Load,
  type LoadResult,
  PLACEHOLDER,
  type RequestTemplate,
  reserveNumbers,
} from './load.ts'

/** Generates load in this process: slower than wrk, but there with `npm ci`. */
export const autocannonGenerator: Generator = {
  name: `autocannon ${packageJson.version}`,
  run: async (load) => parseAutocannon(await autocannon(optionsOf(load))),
}

function optionsOf(load: Load): autocannon.Options {
  return {
    url: load.origin,
    connections: load.connections,
    duration: load.seconds,
    timeout: 10,
    requests: load.requests.map(requestOf),
  }
}

function requestOf({ method, path, headers, body }: RequestTemplate): autocannon.Request {
  const request = { method: methodOf(method), path, headers, ...(body === undefined ? {} : { body }) }
  if (!body?.includes(PLACEHOLDER)) return request
  return {
    ...request,
    setupRequest: (given) => ({
      ...given,
      body: body.replaceAll(PLACEHOLDER, () => String(reserveNumbers(1))),
    }),
  }
}

function methodOf(method: string): NonNullable<autocannon.Request['method']> {
  const known = METHODS.find((name) => name === method)
  if (known === undefined) throw new Error(`autocannon does not send ${method}`)
  return known
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const

/** The part of autocannon's result that we read. */
type Summary = Pick<autocannon.Result, '2xx' | '3xx' | '4xx' | '5xx' | 'duration' | 'errors'> & {
  latency: Pick<autocannon.Result['latency'], 'p50' | 'p99'>
}

/** Reads autocannon's result. */
export function parseAutocannon(result: Summary): LoadResult {
  return {
    requests: result['2xx'] + result['3xx'],
    seconds: result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    refused: result['4xx'] + result['5xx'],
    // Timeouts are among them.
    errors: result.errors,
  }
}
