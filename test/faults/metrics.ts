import { call } from '#test/support/http.ts'

/** Returns the value of a metric without labels, from /metrics. */
export async function metric(url: string, name: string): Promise<number> {
  const { text } = await call(`${url}/metrics`)
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
  if (value === undefined) throw new Error(`/metrics has no ${name}`)
  return Number(value)
}
