import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { buildApp } from '#app.ts'
import { ConfigError } from '#config/engine/config-error.ts'
import { createKeyFile } from '#lib/signing-keys/signing-keys.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { testConfig } from '#test/support/helper.ts'
import { SECRET } from './forge.ts'

async function keyFiles(t: Test) {
  const directory = t.testdir()
  const [a, b] = [await createKeyFile(directory), await createKeyFile(directory)]
  const publicFile = join(directory, 'public.pem')
  writeFileSync(publicFile, a.publicKey)
  return { a, b, publicFile, missing: join(directory, 'missing.pem') }
}

t.test('bad key files keep the service from starting, and it says all that is wrong', async (t) => {
  const { publicFile, missing } = await keyFiles(t)
  const { url } = await createTestDatabase(t)
  const config = testConfig(url, {
    APP_LOG__LEVEL: 'silent',
    APP_JWT__ALGORITHM: 'EdDSA',
    APP_JWT__SIGNING_KEY_FILE: publicFile,
    APP_JWT__VERIFICATION_KEY_FILES: missing,
  })
  const error = await t.rejects(buildApp(config), ConfigError)
  t.match(error, {
    problems: [
      `APP_JWT__SIGNING_KEY_FILE: ${publicFile} holds a public key, which cannot sign`,
      `APP_JWT__VERIFICATION_KEY_FILES: ${missing} cannot be read (ENOENT)`,
    ],
  })
})

t.test('a private key that all can read is warned of where it matters', async (t) => {
  const { a, b, publicFile } = await keyFiles(t)
  for (const file of [b.file, publicFile]) chmodSync(file, 0o644)
  const keys = {
    APP_JWT__SECRET: SECRET,
    APP_JWT__ALGORITHM: 'EdDSA',
    APP_JWT__SIGNING_KEY_FILE: a.file,
    APP_JWT__VERIFICATION_KEY_FILES: `${b.file},${publicFile}`,
  }
  const warnings = async (environment: string) => {
    const { logs } = await borrowTestApp(t, { ...keys, APP_ENVIRONMENT: environment })
    const message = 'a private key can be read by every account of this machine'
    return logs().filter(({ msg }) => msg === message)
  }
  t.match(await warnings('production'), [{ level: 'warn', file: b.file }])
  t.same(await warnings('test'), [])
})
