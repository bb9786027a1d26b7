import fc from 'fast-check'
import type { FuzzedOperation } from '#test/fuzz/operations.ts'
import { type Plan, plans } from '#test/fuzz/plans.ts'
import type { SchemaValues } from '#test/fuzz/schema-values.ts'

/** The properties to send, where others need more than a right request. */
const ORDINARY: Readonly<Record<string, readonly string[]>> = {
  updateCurrentUser: ['username'],
  updateUser: ['username'],
  // A file of these requests is not an image.
  createFileLink: ['expires_in'],
  createOrganizationFileLink: ['expires_in'],
}

/** A request that is right, with as little in it as there can be. */
export function rightPlan(operation: FuzzedOperation, values: SchemaValues, seed: number): Plan {
  const ordinary = ORDINARY[operation.id]
  const isRight = ({ breakages, body }: Plan) =>
    breakages.length === 0 && (!ordinary || Object.keys(Object(body)).join() === ordinary.join())
  const [plan] = fc.sample(plans(operation, values).filter(isRight), { numRuns: 1, seed })
  if (!plan) throw new TypeError(`no request of ${operation.id} is right`)
  const needed = (place: 'query' | 'header', given: Record<string, unknown>) =>
    Object.fromEntries(
      operation.parameters
        .filter((parameter) => parameter.in === place && parameter.required)
        .map(({ name }) => [name, given[name]]),
    )
  return { ...plan, query: needed('query', plan.query), headers: needed('header', plan.headers) }
}
