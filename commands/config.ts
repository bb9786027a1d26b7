/**
 * Prints the effective configuration: each key, its value with secrets masked, and the layer that it
 * came from. `--json` prints the same for programs. Exits with 1 when the configuration has problems,
 * and lists them on standard error, and with 2 for arguments that it does not know.
 */
import { parseArgs } from 'node:util'
import { listPrintable, type PrintableKey } from '#config/engine/printable.ts'
import { loadConfig } from '#config/load.ts'
import { offerHelp, runCommand } from './run-command.ts'

const USAGE = 'Usage: npm run config [-- --json]\n'

offerHelp(USAGE)

await runCommand(parseArguments(process.argv.slice(2)), USAGE, async ({ json }) => {
  const keys = listPrintable(loadConfig({ env: process.env }))
  process.stdout.write(json ? renderJson(keys) : renderTable(keys))
})

function parseArguments(args: string[]): { json: boolean } | undefined {
  try {
    return parseArgs({ args, options: { json: { type: 'boolean', default: false } } }).values
  } catch {
    return undefined
  }
}

function renderJson(keys: readonly PrintableKey[]): string {
  const entries = keys.map(({ path, value, source }) => [path, { value, source }])
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`
}

function renderTable(keys: readonly PrintableKey[]): string {
  const rows: [string, string, string][] = [
    ['KEY', 'VALUE', 'FROM'],
    ...keys.map(({ path, value, source }): [string, string, string] => [
      path,
      renderValue(value),
      source ?? '-',
    ]),
  ]
  const pathWidth = Math.max(...rows.map(([path]) => path.length))
  const valueWidth = Math.max(...rows.map(([, value]) => value.length))
  return rows
    .map(([path, value, source]) => `${path.padEnd(pathWidth)}  ${value.padEnd(valueWidth)}  ${source}\n`)
    .join('')
}

function renderValue(value: PrintableKey['value']): string {
  if (value === null) return '(not set)'
  if (Array.isArray(value)) return value.length === 0 ? '[]' : value.join(', ')
  const text = String(value)
  // Escapes keep a value with control characters on its line, and out of the terminal's own language.
  const escaped = JSON.stringify(text)
  return escaped === `"${text}"` ? text : escaped
}
