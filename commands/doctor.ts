/**
 * Looks at the set-up and says what is wrong, why it matters and how to fix it: `npm run doctor [-- --json]`.
 * It leaves nothing behind, and works beside a service that runs. Warnings, and what is not used (off), do not count.
 * Exits with 0 when nothing is wrong, with 1 when something is, with 2 for arguments that it does not know, and with 3
 * when nothing is known to be wrong, but something could not be looked at (not checked).
 */
import { parseArgs } from 'node:util'
import { loadSoundParts } from '#config/engine/sound-parts.ts'
import { LENIENT_ENVIRONMENTS } from '#config/schema/schema.ts'
import { useProxies } from '#lib/network/proxies.ts'
import { problem } from './doctor/check.ts'
import { examine, type Result } from './doctor/examine.ts'
import { offerHelp, refuseArguments } from './run-command.ts'

const USAGE = 'Usage: npm run doctor [-- --json]\n'

const LABELS = { problem: 'problem', warning: 'warning', unchecked: 'not checked' }

offerHelp(USAGE)

const json = parseArguments(process.argv.slice(2))
if (json === undefined) {
  refuseArguments(USAGE)
} else {
  const results = await diagnose()
  process.exitCode = exitCodeOf(results)
  // What hangs would keep the process.
  process.stdout.write(json ? renderJson(results) : render(results), () => process.exit())
}

function parseArguments(args: string[]): boolean | undefined {
  try {
    return parseArgs({ args, options: { json: { type: 'boolean', default: false } } }).values.json
  } catch {
    return undefined
  }
}

async function diagnose(): Promise<Result[]> {
  const { config, problems, broken } = loadSoundParts({ env: process.env })
  leaveAsTheServiceDoes()
  const strict = !LENIENT_ENVIRONMENTS.includes(config?.environment ?? '')
  const results = await examine({ config, broken, env: process.env, strict })
  const why = 'The service does not start with it.'
  const how = 'Correct it; docs/configuration.md says what each key takes, `npm run config` what is set.'
  return [{ check: 'configuration', findings: problems.map((what) => problem(what, why, how)) }, ...results]
}

/** By its proxies; those that are not valid are among the problems of the configuration. */
function leaveAsTheServiceDoes(): void {
  try {
    useProxies(process.env)
  } catch {
    // Said already.
  }
}

/** 1 when something is wrong, 3 when nothing is known to be but something could not be looked at. */
function exitCodeOf(results: readonly Result[]): 0 | 1 | 3 {
  const severities = new Set(results.flatMap(({ findings }) => findings.map(({ severity }) => severity)))
  if (severities.has('problem')) return 1
  return severities.has('unchecked') ? 3 : 0
}

function renderJson(results: readonly Result[]): string {
  const ok = exitCodeOf(results) === 0
  return `${JSON.stringify({ ok, results }, null, 2)}\n`
}

function render(results: readonly Result[]): string {
  return results.map(renderResult).join('')
}

function renderResult({ check, findings }: Result): string {
  if (findings.length === 0) return `${label('ok')} ${check}\n`
  return findings
    .map(({ severity, what, why, how }) => {
      const indented = what.replaceAll('\n', `\n${label('')} `)
      // What is not used needs no advice.
      if (severity === 'off') return `${label('off')} ${check}: ${indented}\n`
      const head = `${label(LABELS[severity])} ${check}: ${indented}\n`
      return `${head}${label('')} Why: ${why}\n${label('')} Fix: ${how}\n`
    })
    .join('')
}

function label(text: string): string {
  return text.padEnd(11)
}
