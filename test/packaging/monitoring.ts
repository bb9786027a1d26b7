import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'

export const MONITORING = join(import.meta.dirname, '../../deploy/monitoring')

export interface Rule {
  /** Where it stands. */
  file: string
  record?: string
  alert?: string
  expr: string
  for?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

/** The recording and alert rules, in the order of their evaluation within a file. */
export function readRules(): Rule[] {
  // What others build on comes first.
  const files = globSync('rules/*.yml', { cwd: MONITORING }).sort()
  return files.flatMap((file) => {
    const { groups }: { groups: { rules: Rule[] }[] } = parse(readFileSync(join(MONITORING, file), 'utf8'))
    return groups.flatMap(({ rules }) => rules.map((rule) => ({ ...rule, file: basename(file) })))
  })
}

/** The part of Prometheus' configuration that our tests read. */
export interface PrometheusConfig {
  rule_files: string[]
  alerting?: object
  scrape_configs: { job_name: string }[]
}

/** A configuration of Prometheus; with `everything` also what is there as a comment, for who has it. */
export function readPrometheus(name: string, everything = false): { text: string; config: PrometheusConfig } {
  const file = readFileSync(join(MONITORING, name), 'utf8')
  const begin = file.indexOf('global:')
  const uncommented = file.slice(0, begin) + file.slice(begin).replace(/^( *)# (?=- |alerting:| {2})/gm, '$1')
  const text = everything ? uncommented : file
  return { text, config: parse(text) }
}

/** The names of the jobs that a Prometheus scrapes which has everything. */
export function readJobs(): string[] {
  return readPrometheus('prometheus.yml', true).config.scrape_configs.map(({ job_name }) => job_name)
}

/** Something that a dashboard asks of Prometheus. */
export interface Query {
  /** The dashboard and the panel. */
  where: string
  expression: string
  legend: string
}

interface Panel {
  type: string
  title: string
  targets?: { expr: string; legendFormat: string }[]
}

export interface Dashboard {
  uid: string
  title: string
  panels: Panel[]
  annotations: { list: { name: string; expr: string; titleFormat: string }[] }
  templating: { list: { name: string; type: string; query: string }[] }
}

export function readDashboards(): Dashboard[] {
  const files = globSync('grafana/dashboards/*.json', { cwd: MONITORING }).sort()
  return files.map((file): Dashboard => JSON.parse(readFileSync(join(MONITORING, file), 'utf8')))
}

/** All that a dashboard asks, with its variables as they are when it is opened. */
export function queriesOf({ title, panels, annotations, templating }: Dashboard): Query[] {
  const queries = panels.flatMap(({ title: panel, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ where: panel, expression: expr, legend: legendFormat })),
  )
  const marks = annotations.list.map(({ name, expr, titleFormat }) => ({
    where: name,
    expression: expr,
    legend: titleFormat,
  }))
  const choices = templating.list.flatMap(({ name, query }) => {
    const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? []
    return selector === '' ? [] : { where: `$${name}`, expression: selector, legend: `{{${label}}}` }
  })
  return [...queries, ...marks, ...choices].map(({ where, expression, legend }) => ({
    where: `${title}, ${where}`,
    expression: expression
      .replaceAll('$__rate_interval', '1m')
      .replaceAll('$__range', '1h')
      .replaceAll('$job', 'groundwork')
      .replaceAll(/\$(?:instance|operation)\b/g, '.*'),
    legend,
  }))
}
