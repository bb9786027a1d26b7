import type { Test } from 'tap'
import type { Result } from '#commands/doctor/examine.ts'
import { runCommand } from './command.ts'

/** Settings that are right in production, except the database, of which each test has its own. */
export const PRODUCTION = {
  APP_ENVIRONMENT: 'production',
  APP_SERVER__HOST: '127.0.0.1',
  APP_SERVER__PORT: '0',
  APP_JWT__SECRET: 'Zm9yIHRoaXMgdGVzdCBhbG9uZSwgYW5kIGxvbmcgZW5vdWdoIGZvciBpdA',
}

/** Runs `npm run doctor`. */
export const doctor = (env: Record<string, string>, args: readonly string[] = ['--json']) =>
  runCommand('doctor', args, { env: { APP_SERVER__PORT: '0', ...env } })

/** Returns its findings, one line each: `problem database: what how`. */
export async function findings(t: Test, env: Record<string, string>): Promise<string[]> {
  const { code, stdout, stderr } = await doctor(env)
  t.equal(stderr, '')
  const { ok, results }: { ok: boolean; results: Result[] } = JSON.parse(stdout)
  const all = results.flatMap(({ check, findings }) => findings.map((finding) => ({ check, ...finding })))
  const isWrong = all.some(({ severity }) => severity === 'problem')
  t.equal(code, ok ? 0 : isWrong ? 1 : 3)
  const found = all.filter(({ severity }) => severity !== 'off')
  for (const { why, how } of found) t.ok(why.length > 10 && how.length > 2, `${why} ${how}`)
  return found.map(({ severity, check, what, how }) => `${severity} ${check}: ${what} ${how}`)
}
