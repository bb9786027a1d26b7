import type * as cog from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** Prometheus as the dashboard's variable names it. */
export const DATA_SOURCE = { type: 'prometheus', uid: '$datasource' }

/** The units of our metrics, by Grafana's names. */
export type Unit = 'bytes' | 'dateTimeFromNow' | 'ops' | 'percentunit' | 'reqps' | 's' | 'short'

/** Expressions by legend; `{{label}}` in a legend stands for the label's value. */
export type Queries = Record<string, string>

interface Options {
  unit: Unit
  /** An explanation, if the title is not enough. */
  description?: string
  /** Where it becomes yellow and red; with `bad` below `warn` it is small values that are bad. */
  thresholds?: { warn?: number; bad: number }
  /** Columns of 24; a third of the width by default. */
  span?: number
}

interface GraphOptions extends Options {
  queries: Queries
  /** Draws the series on top of each other, for parts of a whole. */
  stack?: boolean
  /** Shows requests whose traces the buckets name, each a way to its trace. */
  exemplars?: boolean
}

/** Values over time. */
export function graph(
  title: string,
  { queries, stack = false, exemplars = false, ...options }: GraphOptions,
) {
  const panel = new GraphBuilder()
    .title(title)
    .datasource(DATA_SOURCE)
    .span(options.span ?? 8)
    .height(8)
    .unit(options.unit)
    .min(0)
    .lineWidth(1)
    .fillOpacity(stack ? 30 : 5)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(stack ? StackingMode.Normal : StackingMode.None))
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
  const { description, thresholds } = options
  if (description !== undefined) panel.description(description)
  if (thresholds !== undefined) {
    panel.thresholds(steps(thresholds))
    panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
  }
  for (const target of targets(queries)) {
    panel.withTarget(exemplars ? target.range().exemplar(true) : target.range())
  }
  return panel
}

interface StatOptions extends Options {
  query: string
  /** The number's subject; by default it has no words. */
  legend?: string
}

/** The latest value, large. */
export function stat(title: string, { query, legend = '', ...options }: StatOptions): cog.Builder<Panel> {
  const panel = new StatBuilder()
    .title(title)
    .datasource(DATA_SOURCE)
    .span(options.span ?? 4)
    .height(4)
    .unit(options.unit)
    .graphMode(BigValueGraphMode.Area)
    .colorMode(BigValueColorMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
  const { description, thresholds } = options
  if (description !== undefined) panel.description(description)
  panel.thresholds(steps(thresholds))
  for (const target of targets({ [legend]: query })) panel.withTarget(target.range())
  return panel
}

/** A column: what it asks, and its unit. */
export interface Column {
  query: string
  unit: Unit
  thresholds?: { warn: number; bad: number }
}

interface TableOptions {
  description?: string
  /** By heading; what they ask is summed by one and the same label. Rows are sorted by the first. */
  columns: Record<string, Column>
}

/** One row for each value of a label, over the dashboard's whole time. */
export function table(title: string, { description, columns }: TableOptions): cog.Builder<Panel> {
  const headings = Object.keys(columns)
  const panel = new TableBuilder()
    .title(title)
    .datasource(DATA_SOURCE)
    .span(24)
    .height(14)
    .filterable(true)
    .sortBy([new TableSortByFieldStateBuilder().displayName(headings[0] ?? '').desc(true)])
  if (description !== undefined) panel.description(description)
  const queries = Object.fromEntries(Object.entries(columns).map(([heading, { query }]) => [heading, query]))
  const asked = targets(queries).map((target) => target.format(PromQueryFormat.Table).instant())
  for (const target of asked) panel.withTarget(target)
  // Grafana names the value of each query by its letter.
  const renameByName = Object.fromEntries(
    asked.map((_, index) => [`Value #${refId(index)}`, headings[index]]),
  )
  panel.withTransformation({ id: 'merge', options: {} })
  panel.withTransformation({ id: 'organize', options: { excludeByName: { Time: true }, renameByName } })
  for (const [heading, { unit, thresholds }] of Object.entries(columns)) {
    const properties: { id: string; value: unknown }[] = [{ id: 'unit', value: unit }]
    if (thresholds !== undefined) {
      properties.push({ id: 'thresholds', value: steps(thresholds).build() })
      properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } })
    }
    panel.overrideByName(heading, properties)
  }
  return panel
}

function targets(queries: Queries): DataqueryBuilder[] {
  return Object.entries(queries).map(([legend, expression], index) =>
    new DataqueryBuilder().datasource(DATA_SOURCE).refId(refId(index)).expr(expression).legendFormat(legend),
  )
}

function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index)
}

function steps({ warn, bad }: { warn?: number; bad?: number } = {}): ThresholdsConfigBuilder {
  const config = new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute)
  if (warn !== undefined && bad !== undefined && bad < warn) {
    return config.steps([
      { value: null, color: 'red' },
      { value: bad, color: 'yellow' },
      { value: warn, color: 'green' },
    ])
  }
  return config.steps([
    { value: null, color: 'green' },
    ...(warn === undefined ? [] : [{ value: warn, color: 'yellow' }]),
    ...(bad === undefined ? [] : [{ value: bad, color: 'red' }]),
  ])
}
