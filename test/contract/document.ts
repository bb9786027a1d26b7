import type { OpenAPIV3_1 } from 'openapi-types'

export type Document = OpenAPIV3_1.Document
export type Operation = OpenAPIV3_1.OperationObject & { operationId: string }
export type Schema = Record<string, unknown>

/** An operation with its place in the document. */
export interface PlacedOperation {
  path: string
  method: string
  operation: Operation
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

/** Every operation of a document. */
export function operationsOf(document: Document): PlacedOperation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item?.[method]
      if (operation === undefined) return []
      const { operationId = `${method} ${path}` } = operation
      return [{ path, method, operation: { ...operation, operationId } }]
    }),
  )
}

/** Calls `visit` for every object in a JSON value, with a JSON Pointer to it. */
export function walk(value: unknown, visit: (node: Schema, pointer: string) => void, pointer = ''): void {
  if (typeof value !== 'object' || value === null) return
  if (isNode(value)) visit(value, pointer)
  for (const [name, member] of Object.entries(value)) walk(member, visit, `${pointer}/${name}`)
}

/** The node's member, when it is an object. */
export function member(node: unknown, ...names: string[]): Schema | undefined {
  let current: unknown = node
  for (const name of names) current = isNode(current) ? current[name] : undefined
  return isNode(current) ? current : undefined
}

/** A node of the document, or the node that it refers to. */
export function resolved(document: Document, node: unknown): Schema | undefined {
  const reference = member(node)?.['$ref']
  if (typeof reference !== 'string') return member(node)
  const names = reference.replace(/^#\//, '').split('/')
  return member(document, ...names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~')))
}

/** The responses of an operation by status; shared ones are looked up. */
export function responsesOf(document: Document, operation: Operation): [status: string, Schema][] {
  return Object.entries(operation.responses ?? {}).map(([status, response]) => [
    status,
    resolved(document, response) ?? {},
  ])
}

function isNode(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
