/**
 * Keys that sign access tokens with EdDSA (docs/signing-keys.md):
 * `npm run keys -- new [directory]` makes one, in `.data/keys` unless told otherwise, and says its file and kid;
 * `npm run keys -- list` shows those that the configuration names.
 * Exits with 1 when it fails, and with 2 for arguments that it does not know.
 */
import { join } from 'node:path'
import { loadConfig } from '#config/load.ts'
import { readKeyRing } from '#lib/signing-keys/key-ring.ts'
import { createKeyFile, type SigningKey } from '#lib/signing-keys/signing-keys.ts'
import { offerHelp, runCommand } from './run-command.ts'

const USAGE = 'Usage: npm run keys -- new [directory] | list\n'

offerHelp(USAGE)

const DIRECTORY = join(import.meta.dirname, '../.data/keys')

await runCommand(parseCommand(process.argv.slice(2)), USAGE, async (command) => {
  process.stdout.write(await command())
})

function parseCommand([name, directory, ...rest]: string[]): (() => Promise<string>) | undefined {
  if (rest.length > 0 || directory?.startsWith('-')) return undefined
  if (name === 'new') return () => create(directory ?? DIRECTORY)
  if (name === 'list' && directory === undefined) return list
  return undefined
}

async function create(directory: string): Promise<string> {
  const { file, kid } = await createKeyFile(directory)
  return `file ${file}\nkid  ${kid}\n`
}

async function list(): Promise<string> {
  const { jwt } = loadConfig({ env: process.env }).config
  if (jwt.algorithm === 'HS256') return 'jwt.algorithm is HS256: jwt.secret signs, and no key is published\n'
  const { signing, others } = await readKeyRing(jwt)
  const row = (use: string, { kid, file }: SigningKey) => `${kid}  ${use.padEnd(8)}  ${file}\n`
  return [
    `${'KID'.padEnd(signing.kid.length)}  USE       FILE\n`,
    row('signs', signing),
    ...others.map((key) => row('verifies', key)),
  ].join('')
}
