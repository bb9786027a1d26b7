/**
 * Makes admins, since no account exists by default, and accepts addresses:
 * `npm run admin -- create --email .. --username ..` asks for the password, or reads it from standard input;
 * `npm run admin -- promote --email ..` makes a user an admin;
 * `npm run admin -- verify --email ..` or `--registered-before <time>` takes addresses as confirmed.
 * Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { isUtf8 } from 'node:buffer'
import { stdin } from 'node:process'
import { buffer } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import password from '@inquirer/password'
import type { TSchema } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { createCompiler } from '#plugins/api/validation/compiler.ts'
import { invalidValues } from '#plugins/http/errors/invalid-values.ts'
import { MailRequest } from '#schemas/one-time-tokens.ts'
import { CreateUser } from '#schemas/users.ts'
import { UserNotFound } from '#services/users/errors.ts'
import * as operators from '#services/users/operators.ts'
import { RefusedCommand } from './confirm.ts'
import { readTime } from './read-time.ts'
import { offerHelp, runCommand } from './run-command.ts'
import { commandConfig, withApp } from './with-app.ts'

const USAGE = `Usage: npm run admin -- create --email <address> --username <name>
       npm run admin -- promote --email <address>
       npm run admin -- verify --email <address> | --registered-before <time, such as 2026-12-01T00:00:00Z>
`

offerHelp(USAGE)

/** Asks for what is missing before anything starts, and returns what to do with the application. */
type Command = () => Promise<(app: FastifyInstance) => Promise<string>>

interface Values {
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly 'registered-before'?: string | undefined
}

await runCommand(parseCommand(process.argv.slice(2)), USAGE, run)

function parseCommand(args: string[]): Command | undefined {
  const { positionals, values } = parseArguments(args) ?? { positionals: [], values: {} }
  const [name, ...rest] = positionals
  if (rest.length > 0) return undefined
  if (name === 'verify') return parseVerify(values)
  const { email, username } = values
  if (!email || values['registered-before'] !== undefined) return undefined
  if (name === 'create' && username) {
    return async () => {
      const input = { email, username, password: await readPassword() }
      return (app) => create(app, input)
    }
  }
  if (name === 'promote' && username === undefined)
    return async () => (app) => named(email, (known) => promote(app, known))
  return undefined
}

function parseVerify({ email, username, 'registered-before': before }: Values): Command | undefined {
  if (username !== undefined || (email === undefined) === (before === undefined)) return undefined
  if (email) return async () => (app) => named(email, (known) => verify(app, { email: known }))
  const time = before ? readTime(before) : undefined
  return time && (async () => (app) => verify(app, { before: time }))
}

function parseArguments(args: string[]) {
  try {
    const options = {
      email: { type: 'string' },
      username: { type: 'string' },
      'registered-before': { type: 'string' },
    } as const
    return parseArgs({ args, options, allowPositionals: true })
  } catch {
    return undefined
  }
}

/** From the terminal without showing it, or one line of standard input. */
async function readPassword(): Promise<string> {
  if (stdin.isTTY) return password({ message: 'Password:', mask: true })
  const bytes = await buffer(stdin)
  if (!isUtf8(bytes)) throw new RefusedCommand('password must be UTF-8')
  const line = bytes.toString().replace(/\r?\n$/, '')
  // The API refuses NUL everywhere, so nobody could sign in with it.
  if (line.includes('\0')) throw new RefusedCommand('password must not hold NUL characters')
  return line
}

async function run(command: Command): Promise<void> {
  const act = await command()
  process.stdout.write(`${await withApp(commandConfig(), act)}\n`)
}

async function create(app: FastifyInstance, input: CreateUser): Promise<string> {
  const user = await operators.create(app.ctx, valid(CreateUser, input), 'admin')
  return `Created the admin ${user.username} (${user.id})`
}

async function promote(app: FastifyInstance, email: string): Promise<string> {
  const user = await operators.promote(app.ctx, email)
  return `${user.username} (${user.id}) is an admin now`
}

/** Does something with the account of an address, which is read as the API reads it. */
async function named(text: string, act: (email: string) => Promise<string>): Promise<string> {
  const { email } = valid(MailRequest, { email: text })
  try {
    return await act(email)
  } catch (error) {
    if (error instanceof UserNotFound) throw new RefusedCommand(`No account has the address ${email}.`)
    throw error
  }
}

async function verify(app: FastifyInstance, which: operators.Unverified): Promise<string> {
  const count = await operators.verify(app.ctx, which)
  return `${count} ${count === 1 ? 'address is' : 'addresses are'} confirmed now`
}

/** Returns input in its normal form; it is checked as the API checks it. */
function valid<T extends object>(schema: TSchema, input: T): T {
  const validate = createCompiler({ coerce: false })(schema)
  const candidate = { ...input }
  if (validate(candidate)) return candidate
  const problems = invalidValues(validate.errors ?? [], '').map(
    ({ pointer, message }) => `${pointer.slice(2)} ${message}`,
  )
  throw new RefusedCommand(problems.join('\n'))
}
