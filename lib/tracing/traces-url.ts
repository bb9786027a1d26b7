/** The URL that spans are sent to, for `tracing.endpoint`. */
export function tracesUrl(endpoint: string): string {
  return endpoint.endsWith('/v1/traces') ? endpoint : `${endpoint}/v1/traces`
}
