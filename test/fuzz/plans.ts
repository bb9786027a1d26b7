import fc from 'fast-check'
import { apply, type Breakage, breakage } from './breakages.ts'
import {
  LIVE_BYTES,
  liveBody,
  liveHeader,
  liveParameter,
  liveQuery,
  prepare,
  type Situation,
} from './live-values.ts'
import type { FuzzedOperation, Parameter } from './operations.ts'
import type { DraftRequest, Signer } from './request.ts'
import type { SchemaValues } from './schema-values.ts'

/** A request to be made: values of the schemas, and what is done to them. */
export interface Plan {
  as: Signer
  params: Record<string, unknown>
  query: Record<string, unknown>
  headers: Record<string, unknown>
  body: unknown
  /** None in a request that the document allows. */
  breakages: readonly Breakage[]
}

const signer: fc.Arbitrary<Signer> = fc.constantFrom('admin', 'user', 'nobody')

/** Plans for an operation: half of them of valid requests. */
export function plans(operation: FuzzedOperation, values: SchemaValues): fc.Arbitrary<Plan> {
  const of = (place: string) =>
    fc.record(
      Object.fromEntries(
        operation.parameters
          .filter((parameter) => parameter.in === place)
          .map(({ name, schema }) => [name, values.arbitrary(schema)]),
      ),
      { requiredKeys: requiredOf(operation.parameters, place) },
    )
  return fc.record({
    as: fc.oneof({ weight: 2, arbitrary: fc.constant<Signer>('admin') }, { weight: 3, arbitrary: signer }),
    params: of('path'),
    query: of('query'),
    headers: of('header'),
    body: operation.body ? values.arbitrary(operation.body) : fc.constant(undefined),
    // What fails without being broken is told without.
    breakages: fc.oneof(
      { withCrossShrink: true },
      fc.constant([]),
      fc.array(breakage, { minLength: 1, maxLength: 3 }),
    ),
  })
}

function requiredOf(parameters: readonly Parameter[], place: string): string[] {
  return parameters
    .filter((parameter) => parameter.in === place && parameter.required)
    .map(({ name }) => name)
}

/** Makes a plan's request, with what there really is, and then breaks it. */
export async function draftRequest(
  operation: FuzzedOperation,
  plan: Plan,
  situation: Situation,
): Promise<DraftRequest> {
  const { method, path } = operation
  await prepare(operation.id, situation)
  const params: Record<string, string> = {}
  for (const [name, value] of Object.entries(plan.params)) {
    params[name] = (await liveParameter(path, name, situation)) ?? String(value)
  }
  const headers = Object.entries(plan.headers).map(([name, value]) => {
    return [name.toLowerCase(), liveHeader(name) ?? headerText(value)] as const
  })
  const draft: DraftRequest = {
    method,
    path,
    params,
    query: await liveQuery(operation.id, plan.query, situation),
    headers: Object.fromEntries(headers),
    body: await liveBody(operation.id, situation, plan.body),
  }
  if (draft.body !== undefined) draft.headers['content-type'] = 'application/json'
  if (operation.takesBytes) {
    draft.text = LIVE_BYTES
    draft.headers['content-type'] = 'application/octet-stream'
  }
  for (const broken of plan.breakages) apply(draft, broken)
  return draft
}

/** The part of a text that a header can hold: printable ASCII that does not begin or end with a space. */
function headerText(value: unknown): string {
  return String(value).replace(/[^!-~]/g, '') || 'x'
}
