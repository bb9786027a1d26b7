/**
 * Writes Grafana's dashboards from their descriptions: `npm run dashboards`.
 * Another folder may be given: `npm run dashboards -- /tmp/dashboards`.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Description, render } from '../deploy/monitoring/dashboards/dashboard.ts'
import { parsePath, runCommand } from './run-command.ts'

const MONITORING = join(import.meta.dirname, '../deploy/monitoring')
const DESCRIPTIONS = join(MONITORING, 'dashboards/descriptions')
const DEFAULT_FOLDER = join(MONITORING, 'grafana/dashboards')

await runCommand(
  parsePath(process.argv.slice(2), DEFAULT_FOLDER),
  'Usage: npm run dashboards [-- <folder>]\n',
  writeDashboards,
)

async function writeDashboards(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(DESCRIPTIONS)) {
    const name = file.replace(/\.ts$/, '')
    const { default: description }: { default: Description } = await import(join(DESCRIPTIONS, file))
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(render(name, description), null, 2)}\n`)
  }
}
