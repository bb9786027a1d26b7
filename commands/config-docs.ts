/**
 * Writes docs/configuration.md from the schema and the TOML files: `npm run config:docs`.
 * Another path may be given: `npm run config:docs -- /tmp/configuration.md`.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderReference } from '#config/engine/reference.ts'
import { offerHelp } from './run-command.ts'

offerHelp('Usage: npm run config:docs [-- <file>]\n')

const [, , path = join(import.meta.dirname, '../docs/configuration.md')] = process.argv
writeFileSync(path, renderReference())
