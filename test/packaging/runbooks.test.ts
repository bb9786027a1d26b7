import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readDashboards, readRules } from './monitoring.ts'

t.test('every alert says how bad it is, what is wrong, and where to read on', async (t) => {
  const root = join(import.meta.dirname, '../..')
  const uids = readDashboards().map(({ uid }) => uid)
  const alerts = readRules().filter(({ alert }) => alert !== undefined)
  t.ok(alerts.length >= 24)
  for (const { alert = '', file, labels, annotations = {} } of alerts) {
    t.match(labels?.['severity'], /^(page|ticket)$/, alert)
    t.match(annotations, { summary: /\S/, description: /\S.*\.$/ }, alert)
    if (file !== 'external.yml')
      t.ok(uids.includes(annotations['dashboard'] ?? ''), `${alert}: its dashboard`)
    const [page = '', anchor] = annotations['runbook_url']?.split('#') ?? []
    t.equal(anchor, alert.toLowerCase())
    const text = readFileSync(join(root, page), 'utf8')
    const runbook = text.split(/^### /m).find((section) => section.startsWith(`${alert}\n`))
    t.ok(runbook, `${page} has a runbook for ${alert}`)
    for (const part of ['**Means.**', '**Look at.**', '**Do.**'])
      t.ok(runbook?.includes(part), `${alert}: ${part}`)
  }
  const names = alerts.map(({ alert }) => alert)
  t.equal(new Set(names).size, names.length, 'names are unique')
})

/** The text of all pages of runbooks. */
function runbooks(): string {
  const folder = join(import.meta.dirname, '../../docs/runbooks')
  const pages = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
  return pages.join('\n')
}

t.test('there is no runbook without an alert', async (t) => {
  const text = runbooks()
  const alerts = readRules().map(({ alert }) => alert)
  for (const [, heading] of text.matchAll(/^### (Groundwork\w+)$/gm)) {
    t.ok(alerts.includes(heading), `${heading}`)
  }
})

t.test('runbooks name panels that exist', async (t) => {
  const text = runbooks()
  const dashboards = new Map(readDashboards().map((each) => [each.title.replace('Groundwork: ', ''), each]))
  const named = text.matchAll(/_(\w[\w ]*)_, (?:the column )?"([^"]+)"(?:\s+and\s+"([^"]+)")?/g)
  let count = 0
  for (const [, dashboard = '', ...titles] of named) {
    const json = JSON.stringify(dashboards.get(dashboard)?.panels)
    for (const title of titles.filter((each) => each !== undefined)) {
      t.ok(json?.includes(JSON.stringify(title)), `${dashboard}: ${title}`)
      count++
    }
  }
  t.ok(count > 10, `${count} are found`)
})
