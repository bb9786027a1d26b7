import { createPrivateKey } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from '#test/support/command.ts'

/** Runs the command with these variables of the service and no others. */
async function run(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await runCommand('keys', args, {
    env: { APP_ENVIRONMENT: undefined, ...env },
  })
  return { status: code, stdout, stderr }
}

/** Creates a key and returns the output about it. */
async function create(directory: string): Promise<{ file: string; kid: string }> {
  const { status, stdout, stderr } = await run(['new', directory])
  t.equal(status, 0)
  t.equal(stderr, '')
  const { file = '', kid = '' } = /^file (?<file>.+)\nkid {2}(?<kid>[\w-]{43})\n$/.exec(stdout)?.groups ?? {}
  return { file, kid }
}

t.test('makes a key that only its owner can read', async (t) => {
  const directory = join(t.testdir(), 'a/b')
  const { file, kid } = await create(directory)
  t.equal(file, join(directory, `${kid}.pem`))
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(statSync(directory).mode & 0o777, 0o700)
  t.equal(createPrivateKey(readFileSync(file)).asymmetricKeyType, 'ed25519')
  t.not((await create(directory)).kid, kid)
  t.equal(readdirSync(directory).length, 2)
})

t.test('makes one in the directory for data when it is told no other', async (t) => {
  const { status, stdout } = await run(['new'])
  t.equal(status, 0)
  const file = /^file (.+)$/m.exec(stdout)?.[1] ?? ''
  t.equal(join(file, '..'), join(import.meta.dirname, '../../.data/keys'))
  rmSync(file)
})

t.test('says why it cannot', async (t) => {
  const directory = t.testdir({ occupied: 'a file' })
  const { status, stdout, stderr } = await run(['new', join(directory, 'occupied')])
  t.equal(status, 1)
  t.equal(stdout, '')
  t.match(stderr, /EEXIST/)
})

t.test('lists the keys that the configuration names', async (t) => {
  const directory = t.testdir()
  const [signing, other] = [await create(directory), await create(directory)]
  const env = {
    APP_JWT__ALGORITHM: 'EdDSA',
    APP_JWT__SIGNING_KEY_FILE: signing.file,
    APP_JWT__VERIFICATION_KEY_FILES: `${other.file},${signing.file}`,
  }
  const { status, stdout } = await run(['list'], env)
  t.equal(status, 0)
  t.same(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ +/)),
    [
      ['KID', 'USE', 'FILE'],
      [signing.kid, 'signs', signing.file],
      [other.kid, 'verifies', other.file],
    ],
  )
  const missing = await run(['list'], { ...env, APP_JWT__SIGNING_KEY_FILE: join(directory, 'none.pem') })
  t.equal(missing.status, 1)
  t.equal(missing.stderr, `${join(directory, 'none.pem')} cannot be read (ENOENT)\n`)
})

t.test('lists none with a shared secret, and tells what is wrong with the configuration', async (t) => {
  t.match(await run(['list']), { status: 0, stdout: /^jwt\.algorithm is HS256/ })
  t.match(await run(['list'], { APP_JWT__ALGORITHM: 'RS256' }), {
    status: 1,
    stderr: /APP_JWT__ALGORITHM: must be one of HS256, EdDSA/,
  })
})

t.test('explains its use', async (t) => {
  for (const args of [[], ['old'], ['list', 'x'], ['new', 'a', 'b'], ['new', '--all']]) {
    const { status, stdout, stderr } = await run(args)
    t.equal(status, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /\nUsage: npm run keys -- new \[directory\] \| list\n$/)
  }
})
