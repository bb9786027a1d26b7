import type { AnySchema } from 'ajv'
import fp from 'fastify-plugin'
import { createCompiler } from './compiler.ts'

/** Validation: bodies are taken literally; query strings, path parameters and headers are text and so are coerced. */
export default fp(
  async (app) => {
    const shared: AnySchema[] = []
    for (const schema of Object.values(app.getSchemas())) {
      /* c8 ignore next: for the type; Fastify takes nothing else. */
      if (typeof schema === 'object' && schema !== null) shared.push(schema)
    }
    const literal = createCompiler({ coerce: false }, shared)
    const coercing = createCompiler({ coerce: true }, shared)
    app.setValidatorCompiler<AnySchema>(({ schema, httpPart }) => {
      return httpPart === undefined || httpPart === 'body' ? literal(schema) : coercing(schema)
    })
  },
  { name: 'validation', dependencies: ['schemas'] },
)
