import fp from 'fastify-plugin'
import { createAjv } from './ajv.ts'

/**
 * Validation as DESIGN asks for: bodies are taken literally, query strings and path parameters are text and
 * so are coerced.
 */
export default fp(
  async (app) => {
    const literal = createAjv({ coerce: false })
    const coercing = createAjv({ coerce: true })
    for (const schema of Object.values(app.getSchemas())) {
      /* c8 ignore next: for the type; Fastify takes nothing else. */
      if (typeof schema !== 'object' || schema === null) continue
      literal.addSchema(schema)
      coercing.addSchema(schema)
    }
    app.setValidatorCompiler(({ schema, httpPart }) => {
      const ajv = httpPart === undefined || httpPart === 'body' ? literal : coercing
      return ajv.compile(schema)
    })
  },
  { name: 'validation', dependencies: ['schemas'] },
)
