/**
 * Writes docs/configuration.md from the schema and the TOML files: `npm run config:docs`.
 * Another path may be given: `npm run config:docs -- /tmp/configuration.md`.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderReference } from '#config/engine/reference.ts'
import { parsePath, runCommand } from './run-command.ts'

const DEFAULT_PATH = join(import.meta.dirname, '../docs/configuration.md')

await runCommand(
  parsePath(process.argv.slice(2), DEFAULT_PATH),
  'Usage: npm run config:docs [-- <file>]\n',
  async (path) => writeFileSync(path, renderReference()),
)
