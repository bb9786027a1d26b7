/**
 * Writes Grafana's dashboards from their descriptions: `npm run dashboards`.
 * Another folder may be given: `npm run dashboards -- /tmp/dashboards`.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Description, render } from '../deploy/monitoring/dashboards/dashboard.ts'
import { offerHelp } from './run-command.ts'

offerHelp('Usage: npm run dashboards [-- <folder>]\n')

const MONITORING = join(import.meta.dirname, '../deploy/monitoring')
const DESCRIPTIONS = join(MONITORING, 'dashboards/descriptions')
const [, , folder = join(MONITORING, 'grafana/dashboards')] = process.argv

for (const file of readdirSync(DESCRIPTIONS)) {
  const name = file.replace(/\.ts$/, '')
  const { default: description }: { default: Description } = await import(join(DESCRIPTIONS, file))
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(render(name, description), null, 2)}\n`)
}
