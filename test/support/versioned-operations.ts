import type { FastifyInstance } from 'fastify'

/** An operation that takes `If-Match`, and the code of the error that another version is. */
export interface VersionedOperation {
  readonly operationId: string
  readonly method: 'PATCH' | 'PUT' | 'DELETE'
  readonly path: string
  readonly code: string
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { operationId: string; responses: object }>>>
  >
}

/** Reads from the document which operations refuse to overwrite a version that their caller has not seen. */
export function versionedOperations(app: Pick<FastifyInstance, 'swagger'>): VersionedOperation[] {
  const document: Document = JSON.parse(JSON.stringify(app.swagger()))
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([name, { operationId, responses }]) => {
      const [, thing = ''] = /\/(\w+)Changed"/.exec(JSON.stringify(responses)) ?? []
      const method = name.toUpperCase()
      if (thing === '' || (method !== 'PATCH' && method !== 'PUT' && method !== 'DELETE')) return []
      const code = `${thing.replace(/\B[A-Z]/g, (letter) => `_${letter}`).toLowerCase()}_changed`
      return [{ operationId, method, path, code }]
    }),
  )
}
