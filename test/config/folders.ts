import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ConfigError } from '#config/engine/config-error.ts'
import { type LoadOptions, loadConfig } from '#config/load.ts'

/** The project's own file of that name. */
function committed(file: string): string {
  return readFileSync(join(import.meta.dirname, '../../config', file), 'utf8')
}

export const defaults = committed('default.toml')
export const key = 'a key for these tests, of more than 32 bytes'
export const production = {
  APP_ENVIRONMENT: 'production',
  APP_DATABASE__URL: 'postgres://app:pw@db.internal/app',
  APP_JWT__SECRET: key,
}

/** A folder with the project's defaults, an empty file for each usual environment, and these files. */
export function folder(t: Test, files: Record<string, string> = {}): string {
  const keyed = `[jwt]\nsecret = "a well-known key of more than 32 bytes"\n`
  return t.testdir({
    'default.toml': defaults,
    'development.toml': keyed,
    'test.toml': keyed,
    'production.toml': '',
    ...files,
  })
}

/** The project's files as they are, without the local.toml that this machine may have. */
export function projectFolder(t: Test): string {
  const files = ['default.toml', 'development.toml', 'test.toml', 'production.toml']
  return t.testdir(Object.fromEntries(files.map((file) => [file, committed(file)])))
}

export function problemsOf(options: LoadOptions): readonly string[] {
  try {
    loadConfig(options)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}
