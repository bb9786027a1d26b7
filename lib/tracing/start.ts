import type { Config } from '#config/schema/schema.ts'
import type { Tracing } from './tracing.ts'

interface Options extends Pick<Config, 'tracing' | 'environment'> {
  readonly version: string
  /** Go with what is sent; `tracing.headers` as read. */
  readonly headers: Record<string, string>
}

/**
 * Starts traces if the configuration has an endpoint for them; before the application is loaded, so that nothing
 * of it escapes. What is off is not even loaded.
 */
export async function startTracing({
  tracing,
  environment,
  version,
  headers,
}: Options): Promise<Tracing | undefined> {
  const { endpoint, sample_ratio, service_name } = tracing
  if (endpoint === undefined) return undefined
  const openTelemetry = await import('./open-telemetry.ts')
  return openTelemetry.startTracing({ endpoint, headers, sample_ratio, service_name, version, environment })
}
