/** Writes openapi.json, the document that a service with the default configuration serves: `npm run openapi`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildApp } from '#app.ts'
import { loadConfig } from '#config/load.ts'
import { offerHelp } from './run-command.ts'

offerHelp('Usage: npm run openapi [-- <file>]\n')

const [, , path = join(import.meta.dirname, '../openapi.json')] = process.argv

// Nothing is asked of the database, so this address is never called.
const { config } = loadConfig({
  env: {
    APP_DATABASE__URL: 'postgres://nobody@127.0.0.1:1/none',
    APP_DATABASE__MIGRATE_ON_START: 'false',
    APP_LOG__LEVEL: 'silent',
  },
})
const app = await buildApp(config)
writeFileSync(path, `${JSON.stringify(app.swagger(), null, 2)}\n`)
await app.close()
