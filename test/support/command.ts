import http from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { environment } from './process.ts'
import './share-compiled.ts'

const COMMANDS = join(import.meta.dirname, '../../commands')

export interface CommandOptions {
  /** Variables beside those of this process, of which those of the service are left out. */
  env?: Record<string, string | undefined>
  /** The command's standard input. */
  input?: string | Buffer
}

export interface CommandResult {
  code: number
  stdout: string
  stderr: string
}

/** Ends the evaluation of a command that calls `process.exit`. */
class Exit extends Error {}

let runs = 0

/**
 * Runs a file of commands/ in this process, which saves the second that a process takes to import the application.
 * `starts.process.test.ts` starts each as a process. One command at a time: they share the process's arguments,
 * variables and streams meanwhile.
 */
export async function runCommand(
  name: string,
  args: readonly string[] = [],
  { env = {}, input = '' }: CommandOptions = {},
): Promise<CommandResult> {
  const file = join(COMMANDS, `${name}.ts`)
  // What tap has to write is written first.
  await nextTurn()
  const exitCode = process.exitCode
  const output = { stdout: '', stderr: '' }
  const capture = (stream: keyof typeof output) => (chunk: string | Uint8Array) => {
    output[stream] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    return true
  }
  const { setGlobalProxyFromEnv } = http
  const undoProxies: (() => void)[] = []
  const restore = [
    // A command takes its way out for the whole process, which other tests share.
    replace(http, 'setGlobalProxyFromEnv', (proxies: NodeJS.ProcessEnv) => {
      undoProxies.push(setGlobalProxyFromEnv(proxies))
      return () => undefined
    }),
    replace(process, 'argv', [process.execPath, file, ...args]),
    replace(process, 'env', defined(environment({ APP_ENVIRONMENT: 'test', ...env }))),
    replace(process, 'stdin', Readable.from(input.length > 0 ? [Buffer.from(input)] : [])),
    replace(process.stdout, 'write', capture('stdout')),
    replace(process.stderr, 'write', capture('stderr')),
    replace(process, 'exit', (code: number) => {
      process.exitCode = code
      throw new Exit()
    }),
  ]
  // For `import { stdin } from 'node:process'`.
  syncBuiltinESMExports()
  process.exitCode = 0
  try {
    // Another query makes it another module, which is evaluated again; what it imports is not.
    await import(`${pathToFileURL(file)}?run=${++runs}`)
    return { code: Number(process.exitCode), ...output }
  } catch (error) {
    if (error instanceof Exit) return { code: Number(process.exitCode), ...output }
    throw error
  } finally {
    for (const undo of [...undoProxies.reverse(), ...restore]) undo()
    syncBuiltinESMExports()
    process.exitCode = exitCode
  }
}

function defined(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
}

/** Replaces a property, and returns what puts the old one back. */
function replace(target: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: true })
  return () => {
    if (before) Object.defineProperty(target, name, before)
    else Reflect.deleteProperty(target, name)
  }
}
