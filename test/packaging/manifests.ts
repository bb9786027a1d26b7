import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/index'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { CronJob } from 'kubernetes-models/batch/v1/CronJob'
import { Job } from 'kubernetes-models/batch/v1/Job'
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { PersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import type { Test } from 'tap'
import { parseAllDocuments } from 'yaml'

export const KUBERNETES = join(import.meta.dirname, '../../deploy/kubernetes')
export const CHART = join(KUBERNETES, 'groundwork')

const TSC = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc')

/** The API's schemas, compiled, and where the types of the same stand. */
const KINDS = {
  ConfigMap: [ConfigMap, 'kubernetes-models/v1/ConfigMap'],
  CronJob: [CronJob, 'kubernetes-models/batch/v1/CronJob'],
  PersistentVolumeClaim: [PersistentVolumeClaim, 'kubernetes-models/v1/PersistentVolumeClaim'],
  ServiceAccount: [ServiceAccount, 'kubernetes-models/v1/ServiceAccount'],
  Deployment: [Deployment, 'kubernetes-models/apps/v1/Deployment'],
  HorizontalPodAutoscaler: [
    HorizontalPodAutoscaler,
    'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler',
  ],
  Ingress: [Ingress, 'kubernetes-models/networking.k8s.io/v1/Ingress'],
  Job: [Job, 'kubernetes-models/batch/v1/Job'],
  NetworkPolicy: [NetworkPolicy, 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'],
  PodDisruptionBudget: [PodDisruptionBudget, 'kubernetes-models/policy/v1/PodDisruptionBudget'],
  Service: [Service, 'kubernetes-models/v1/Service'],
  ServiceMonitor: [
    ServiceMonitor,
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor',
  ],
  PrometheusRule: [
    PrometheusRule,
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule',
  ],
} as const

/** The parts of objects that tests look at. */
export interface Container {
  image: string
  env: { name: string; value: string }[]
  envFrom?: object[]
  volumeMounts: object[]
  securityContext: object
  livenessProbe: object
  readinessProbe: object
  startupProbe: object
  command?: string[]
}

export interface Template {
  metadata: { labels: Record<string, string> }
  spec: {
    containers: [Container]
    terminationGracePeriodSeconds: number
    serviceAccountName: string
    securityContext: object
    volumes: object[]
  }
}

export interface Manifest {
  kind: keyof typeof KINDS
  metadata: { name: string; annotations?: Record<string, string>; labels: Record<string, string> }
  data?: Record<string, string>
  spec: {
    template: Template
    jobTemplate: { spec: { template: Template } }
    selector: object
    endpoints: object[]
    rules: { http: { paths: { path: string }[] } }[]
    groups: { rules: { alert?: string; record?: string; expr: string }[] }[]
  }
}

/** The objects of a text of YAML. */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => document.toJS() ?? [])
}

/** The chart's output for the example, as committed. */
export const rendered = readFileSync(join(KUBERNETES, 'rendered.yaml'), 'utf8')

/** Errors that the API would report: wrong values by its schemas, and unknown fields by its types. */
export function validate(t: Test, manifests: readonly Manifest[]): void {
  for (const manifest of manifests) check(t, manifest)
  t.equal(compile(t, manifests), '', 'they have no field that the API does not know')
}

/** Errors that the compiler finds in manifests as literals of the API's types. */
export function compile(t: Test, manifests: readonly Manifest[]): string {
  const lines = manifests.map((manifest, n) => {
    const [, path] = KINDS[manifest.kind]
    const name = `T${n}`
    return `import type { I${manifest.kind} as ${name} } from '${path}'
export const m${n}: ${name} = ${JSON.stringify(manifest)}`
  })
  const file = join(t.testdir({ 'manifests.ts': lines.join('\n') }), 'manifests.ts')
  const options = '--ignoreConfig --noEmit --strict --skipLibCheck --target es2024 --module nodenext'.split(
    ' ',
  )
  const { stdout } = spawnSync(process.execPath, [TSC, ...options, file], { encoding: 'utf8' })
  return stdout
}

/** Checks one manifest by the API's schema. */
export function check(t: Test, manifest: Manifest): void {
  t.ok(KINDS[manifest.kind], `${manifest.kind} is known`)
  const [Model] = KINDS[manifest.kind]
  const model = Reflect.construct(Model, [manifest])
  t.doesNotThrow(() => model.validate(), `${manifest.kind} ${manifest.metadata.name} is as the API has it`)
}

/** @throws Error when there is no such object */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name)
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
  return found
}
