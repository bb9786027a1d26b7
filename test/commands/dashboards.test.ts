import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { MONITORING, queriesOf, readDashboards } from '#test/packaging/monitoring.ts'
import { runCommand } from '#test/support/command.ts'

t.test('it writes the dashboards that are committed', async (t) => {
  const folder = t.testdir({})
  t.same(await runCommand('dashboards', [folder]), { code: 0, stdout: '', stderr: '' })
  const committed = join(MONITORING, 'grafana/dashboards')
  const names = globSync('*.json', { cwd: folder }).sort()
  t.same(names, globSync('*.json', { cwd: committed }).sort())
  for (const name of names) {
    t.equal(readFileSync(join(folder, name), 'utf8'), readFileSync(join(committed, name), 'utf8'), name)
  }
})

t.test('dashboards are alike', async (t) => {
  const dashboards = readDashboards()
  t.ok(dashboards.length >= 6)
  for (const dashboard of dashboards) {
    const { uid, title, templating } = dashboard
    t.match(uid, /^groundwork-[a-z-]{3,29}$/, 'Grafana takes 40 characters at most')
    const names = templating.list.map(({ name }) => name)
    t.same(names.slice(0, 3), ['datasource', 'job', 'instance'], `${title}: variables`)
    for (const panel of dashboard.panels) {
      const { type } = panel
      if (type === 'row') continue
      t.match(panel, { datasource: { uid: '$datasource' }, fieldConfig: { defaults: {} } }, panel.title)
      t.ok(panel.targets?.length, `${title}, ${panel.title}: it asks for something`)
      if (type === 'timeseries') {
        t.ok(
          panel.targets?.every(({ legendFormat }) => legendFormat !== ''),
          `${panel.title}: legends`,
        )
      }
    }
    // Each but the variables' own asks for the chosen job.
    const queries = queriesOf(dashboard).filter(({ where }) => !/\$job$|, Firing alerts$/.test(where))
    for (const { where, expression } of queries) t.match(expression, 'job="groundwork"', where)
  }
  t.equal(new Set(dashboards.map(({ uid }) => uid)).size, dashboards.length)
})
