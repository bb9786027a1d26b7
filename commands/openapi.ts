/** Writes openapi.json, the document that a service with the default configuration serves: `npm run openapi`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildApp } from '#app.ts'
import { loadConfig } from '#config/load.ts'
import { parsePath, runCommand } from './run-command.ts'

const DEFAULT_PATH = join(import.meta.dirname, '../openapi.json')

await runCommand(
  parsePath(process.argv.slice(2), DEFAULT_PATH),
  'Usage: npm run openapi [-- <file>]\n',
  writeDocument,
)

async function writeDocument(path: string): Promise<void> {
  // Nothing is asked of the database, so this address is never called.
  const { config } = loadConfig({
    env: {
      APP_DATABASE__URL: 'postgres://nobody@127.0.0.1:1/none',
      APP_DATABASE__MIGRATE_ON_START: 'false',
      APP_LOG__LEVEL: 'silent',
    },
  })
  const app = await buildApp(config)
  try {
    writeFileSync(path, `${JSON.stringify(app.swagger(), null, 2)}\n`)
  } finally {
    await app.close()
  }
}
