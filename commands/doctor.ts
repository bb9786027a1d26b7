/**
 * Looks at the set-up and says what is wrong, why it matters and how to mend it: `npm run doctor [-- --json]`.
 * It changes nothing, and works beside a service that runs. Warnings do not count.
 * Exits with 0 when nothing is wrong, with 1 when something is, and with 2 for arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import { ConfigError } from '../config/config-error.ts'
import { loadConfig } from '../config/load.ts'
import { LENIENT_ENVIRONMENTS } from '../config/schema.ts'
import { problem } from './doctor/check.ts'
import { examine, type Result } from './doctor/examine.ts'

const USAGE = 'Usage: npm run doctor [-- --json]\n'

const json = parseArguments(process.argv.slice(2))
if (json === undefined) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  const results = await diagnose()
  const problems = results.flatMap(({ findings }) =>
    findings.filter(({ severity }) => severity === 'problem'),
  )
  process.stdout.write(json ? renderJson(results) : render(results))
  process.exitCode = problems.length > 0 ? 1 : 0
}

function parseArguments(args: string[]): boolean | undefined {
  try {
    return parseArgs({ args, options: { json: { type: 'boolean', default: false } } }).values.json
  } catch {
    return undefined
  }
}

async function diagnose(): Promise<Result[]> {
  try {
    const { config } = loadConfig({ env: process.env })
    const strict = !LENIENT_ENVIRONMENTS.includes(config.environment)
    const results = await examine({ config, env: process.env, strict })
    return [{ check: 'configuration', findings: [] }, ...results]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const why = 'The service does not start with it, and nothing else can be looked at.'
    const how =
      'Correct it; docs/configuration.md says what each key takes, `npm run config` what is in force.'
    return [{ check: 'configuration', findings: error.problems.map((what) => problem(what, why, how)) }]
  }
}

function renderJson(results: readonly Result[]): string {
  const ok = results.every(({ findings }) => findings.every(({ severity }) => severity !== 'problem'))
  return `${JSON.stringify({ ok, results }, null, 2)}\n`
}

function render(results: readonly Result[]): string {
  return results.map(renderResult).join('')
}

function renderResult({ check, findings }: Result): string {
  if (findings.length === 0) return `ok       ${check}\n`
  return findings
    .map(({ severity, what, why, how }) => {
      const head = `${severity.padEnd(8)} ${check}: ${what.replaceAll('\n', '\n         ')}\n`
      return `${head}         Why:  ${why}\n         Mend: ${how}\n`
    })
    .join('')
}
