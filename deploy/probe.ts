/**
 * Asks a probe of the service on this machine, for images without curl: `node deploy/probe.ts /ready`.
 * Exits with 0 when the answer is 2xx, else with 1.
 */
const [, , path = '/live'] = process.argv
const port = process.env['APP_SERVER__PORT'] ?? '8080'

try {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(2500) })
  process.exitCode = response.ok ? 0 : 1
} catch (error) {
  process.stderr.write(`${error}\n`)
  process.exitCode = 1
}
