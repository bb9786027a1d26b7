/** A value of a JSON document. */
type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** A part of a document, as Swagger UI wants it. */
interface Resolved {
  readonly errors: readonly never[]
  readonly spec: Json | undefined
}

/**
 * A plugin of Swagger UI that resolves the references of one operation, all of which lie in the document (decision 078).
 * Its source is sent to browsers, so it uses nothing from outside of itself.
 */
export function resolveReferences() {
  const child = (parent: Json | undefined, name: string): Json | undefined =>
    typeof parent === 'object' && parent !== null && !Array.isArray(parent) ? parent[name] : undefined

  /** `within` are the references that lead here: a schema that contains itself is unfolded once. */
  function resolve(document: Json, value: Json, within: readonly string[]): Json {
    if (Array.isArray(value)) return value.map((item) => resolve(document, item, within))
    if (typeof value !== 'object' || value === null) return value
    const { $ref, ...rest } = value
    if (typeof $ref === 'string' && within.includes($ref)) return value
    const own = Object.entries(rest).map(([name, item]) => [name, resolve(document, item, within)] as const)
    if (typeof $ref !== 'string') return Object.fromEntries(own)
    const target = $ref.split('/').slice(1).reduce(child, document)
    const resolved = resolve(document, target ?? {}, [...within, $ref])
    // The page takes a schema's name from `$$ref`.
    return Object.assign({ $$ref: $ref }, resolved, Object.fromEntries(own))
  }

  return {
    fn: {
      async resolveSubtree(document: Json, path: readonly string[]): Promise<Resolved> {
        const part = path.reduce(child, document)
        return { errors: [], spec: part && resolve(document, part, []) }
      },
    },
  }
}
