import type { AnySchema } from 'ajv'
import type { Schema } from 'fast-json-stringify'
import fp from 'fastify-plugin'
import { createCompiler } from './compiler.ts'
import { createSerializerCompiler } from './serializers.ts'

/**
 * Validation: bodies are taken literally; query strings, path parameters and headers are text and so are coerced. And the
 * compilation of the schemas by which responses are written.
 */
export default fp(
  async (app) => {
    const shared = new Map<string, Schema>()
    for (const [id, schema] of Object.entries(app.getSchemas())) {
      if (isSchema(schema)) shared.set(id, schema)
    }
    const literal = createCompiler({ coerce: false }, [...shared.values()])
    const coercing = createCompiler({ coerce: true }, [...shared.values()])
    app.setValidatorCompiler<AnySchema>(({ schema, httpPart }) => {
      return httpPart === undefined || httpPart === 'body' ? literal(schema) : coercing(schema)
    })
    const serializerOf = createSerializerCompiler(shared)
    app.setSerializerCompiler<Schema>(({ schema }) => serializerOf(schema))
  },
  { name: 'validation', dependencies: ['schemas'] },
)

/** For the type: Fastify takes nothing else. */
function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null
}
