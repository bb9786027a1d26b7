import { readdir } from 'node:fs/promises'
import fp from 'fastify-plugin'

const directory = new URL('../../schemas/', import.meta.url)

/** Registers every schema of schemas/ that has an `$id`, so that routes and the document can refer to it. */
export default fp(
  async (app) => {
    // Sorted, because the order of a folder differs between file systems, and the document follows it.
    const files = (await readdir(directory)).filter((file) => file.endsWith('.ts')).sort()
    for (const file of files) {
      const exports: Record<string, unknown> = await import(new URL(file, directory).href)
      for (const value of Object.values(exports)) {
        if (typeof value === 'object' && value !== null && '$id' in value) app.addSchema(value)
      }
    }
  },
  { name: 'schemas' },
)
