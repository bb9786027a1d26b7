import fastJsonStringify, { type Schema } from 'fast-json-stringify'

type Serializer = (value: unknown) => string

/**
 * Makes a function that compiles schemas into functions that write JSON. Fastify's own hands all shared schemas to each
 * compilation, which looks through all of them: most of the time of a start. This one hands over those that a schema
 * refers to, and compiles schemas that are the same once.
 *
 * @param shared schemas that others refer to by their `$id`
 */
export function createSerializerCompiler(
  shared: ReadonlyMap<string, Schema>,
): (schema: Schema) => Serializer {
  const compiled = new Map<string, Serializer>()
  return (schema) => {
    const key = JSON.stringify(schema)
    const serializer = compiled.get(key) ?? fastJsonStringify(schema, { schema: referred(schema, shared) })
    compiled.set(key, serializer)
    return serializer
  }
}

/** The shared schemas that a schema refers to, itself or by another, by their `$id`. */
function referred(root: Schema, shared: ReadonlyMap<string, Schema>): Record<string, Schema> {
  const found: Record<string, Schema> = {}
  const pending: unknown[] = [root]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue
    if ('$ref' in value) {
      const id = String(value.$ref).split('#', 1)[0] ?? ''
      const schema = shared.get(id)
      if (schema !== undefined && !Object.hasOwn(found, id)) {
        found[id] = schema
        pending.push(schema)
      }
    }
    pending.push(...Object.values(value))
  }
  return found
}
