import { createPublicKey, verify } from 'node:crypto'
import t from 'tap'
import { createKeyFile } from '#lib/signing-keys/signing-keys.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

const PATH = '/.well-known/jwks.json'

t.test('others can verify our tokens with what is published', async (t) => {
  const directory = t.testdir()
  const [signing, coming] = [await createKeyFile(directory), await createKeyFile(directory)]
  const { app, request, signUp } = await borrowTestApp(t, {
    APP_JWT__ALGORITHM: 'EdDSA',
    APP_JWT__SIGNING_KEY_FILE: signing.file,
    APP_JWT__VERIFICATION_KEY_FILES: coming.file,
  })
  const response = await request({ url: PATH })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'public, max-age=300')
  t.match(response.headers['content-type'], /^application\/json/)
  t.strictSame(response.json(), { keys: [signing.jwk, coming.jwk] }, 'and nothing private')

  const ada = await signUp()
  const [header = '', payload = '', signature = ''] = ada.headers.authorization
    .slice('Bearer '.length)
    .split('.')
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
  const jwk = response.json().keys.find((key: { kid: string }) => key.kid === kid)
  const key = createPublicKey({ format: 'jwk', key: jwk })
  const input = Buffer.from(`${header}.${payload}`)
  t.ok(verify(null, input, key, Buffer.from(signature, 'base64url')))
  t.equal(app.tokens.keySet.keys.length, 2)
})

t.test('there is none to publish with a shared secret', async (t) => {
  const { request } = await borrowTestApp(t)
  const response = await request({ url: PATH })
  t.equal(response.statusCode, 200)
  t.strictSame(response.json(), { keys: [] })
  t.equal((await request({ url: PATH, method: 'POST' })).statusCode, 405)
})
