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

function isNode(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
