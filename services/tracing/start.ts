import type { Config } from '../../config/schema.ts'
import type { Tracing } from './tracing.ts'

/**
 * Starts traces if the configuration has an endpoint for them; before the application is loaded, so that nothing
 * of it escapes. What is off is not even loaded.
 */
export async function startTracing(
  { tracing, environment }: Pick<Config, 'tracing' | 'environment'>,
  version: string,
): Promise<Tracing | undefined> {
  const { endpoint, sample_ratio, service_name } = tracing
  if (endpoint === undefined) return undefined
  const openTelemetry = await import('./open-telemetry.ts')
  return openTelemetry.startTracing({ endpoint, sample_ratio, service_name, version, environment })
}
