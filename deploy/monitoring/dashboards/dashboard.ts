import type * as cog from '@grafana/grafana-foundation-sdk/cog'
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DATA_SOURCE } from './panels.ts'

/** The source of a dashboard. */
export interface Description {
  title: string
  description: string
  /** Further variables, each a label of a metric. */
  variables?: Record<string, { metric: string }>
  /** Panels by the title of their row. */
  rows: Record<string, cog.Builder<Panel>[]>
}

/** Makes a dashboard in the classic model of Grafana, which every version since 8 can read from a file. */
export function render(name: string, { title, description, variables = {}, rows }: Description): Dashboard {
  const dashboard = new DashboardBuilder(`Groundwork: ${title}`)
    .uid(`groundwork-${name}`)
    .description(description)
    .tags(['groundwork'])
    .timezone('browser')
    .time({ from: 'now-3h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(choice('job', 'app_info').current({ text: 'groundwork', value: 'groundwork' }))
    .withVariable(everyOf(choice('instance', 'app_info{job="$job"}')))
    .annotation(
      new AnnotationQueryBuilder()
        .name('Starts')
        .datasource(DATA_SOURCE)
        .enable(true)
        .iconColor('blue')
        .expr('changes(process_start_time_seconds{job="$job", instance=~"$instance"}[1m]) > 0')
        .titleFormat('{{instance}} has started'),
    )
    .link(
      new DashboardLinkBuilder('Groundwork')
        .type(DashboardLinkType.Dashboards)
        .tags(['groundwork'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
  for (const [label, { metric }] of Object.entries(variables)) {
    dashboard.withVariable(everyOf(choice(label, `${metric}{job="$job", instance=~"$instance"}`)))
  }
  for (const [title, panels] of Object.entries(rows)) {
    dashboard.withRow(new RowBuilder(title))
    for (const panel of panels) dashboard.withPanel(panel)
  }
  const built = dashboard.build()
  built.panels?.forEach((panel, index) => {
    panel.id = index + 1
  })
  return built
}

/** A variable with the values that a label has. */
function choice(label: string, selector: string): QueryVariableBuilder {
  return new QueryVariableBuilder(label)
    .label(label.charAt(0).toUpperCase() + label.slice(1))
    .datasource(DATA_SOURCE)
    .query(`label_values(${selector}, ${label})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
}

function everyOf(variable: QueryVariableBuilder): QueryVariableBuilder {
  return variable.multi(true).includeAll(true).allValue('.*').current({ text: 'All', value: '$__all' })
}
