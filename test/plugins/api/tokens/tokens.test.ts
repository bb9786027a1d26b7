import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import {
  ALGORITHMS,
  createIssuingApp,
  ed25519,
  encode,
  forge,
  hmac,
  nobody,
  parse,
  SECRET,
  type Signer,
} from './forge.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

for (const algorithm of ALGORITHMS) {
  t.test(`${algorithm}: what a token says`, async (t) => {
    const { app, as, issue, request } = await createIssuingApp(t, algorithm)
    const token = issue()
    const { header, payload } = parse(token)
    const kid = app.tokens.keySet.keys[0]?.kid
    t.strictSame(header, { alg: algorithm, typ: 'at+jwt', ...(kid === undefined ? {} : { kid }) })
    t.strictSame(Object.keys(payload).sort(), ['aud', 'exp', 'iat', 'iss', 'jti', 'role', 'sid', 'sub'])
    const { sub, sid, role, iat, exp, jti, iss, aud } = payload
    const { id } = as.user
    t.same({ sub, sid, role }, { sub: id, sid: as.session_id, role: 'user' })
    t.same({ iss, aud }, { iss: 'groundwork', aud: 'groundwork' })
    t.match(jti, UUID)
    t.equal(Number(exp) - Number(iat), app.tokens.lifetimeS)
    t.strictSame(app.tokens.verify(token), { sub, sid, role, iat, exp, jti })
    t.not(parse(issue()).payload['jti'], jti)
    const response = await request({ url: '/api/v1/users/me', headers: { authorization: `Bearer ${token}` } })
    t.equal(response.statusCode, 200)
  })

  t.test(`${algorithm}: a token lives until its exp, also one that is known already`, async (t) => {
    const { app, issue } = await createIssuingApp(t, algorithm)
    const [known, fresh] = [issue(), issue()]
    const { exp } = app.tokens.verify(known)
    t.intercept(Date, 'now', { value: () => exp * 1000 - 1 })
    t.ok(app.tokens.verify(known))
    t.intercept(Date, 'now', { value: () => exp * 1000 + 1000 })
    t.throws(() => app.tokens.verify(known))
    t.throws(() => app.tokens.verify(fresh))
  })

  t.test(`${algorithm}: refuses everything else`, async (t) => {
    const { app, issue, sign, request } = await createIssuingApp(t, algorithm)
    const token = issue()
    const { header, payload } = parse(token)
    const [headerSegment = '', payloadSegment = '', signature = ''] = token.split('.')
    const other = generateKeyPairSync('ed25519')
    const otherSigner: Signer = algorithm === 'EdDSA' ? ed25519(other.privateKey) : hmac('x'.repeat(32))
    const publicPem = createPublicKey(other.privateKey).export({ type: 'spki', format: 'pem' }).toString()
    const publicJwk = other.publicKey.export({ format: 'jwk' })
    const published = app.tokens.keySet.keys[0]
    const withHeader = (changes: object) => forge({ ...header, ...changes }, payload, sign)
    const withClaims = (changes: object) => forge(header, { ...payload, ...changes }, sign)
    const without = (claim: string) =>
      forge(header, Object.fromEntries(Object.entries(payload).filter(([name]) => name !== claim)), sign)

    // The forger's signatures are those of the service, or the cases would prove nothing.
    t.ok(app.tokens.verify(forge(header, payload, sign)))
    t.ok(app.tokens.verify(withClaims({ jti: '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90' })))

    const cases: Record<string, string> = {
      'alg none': forge({ ...header, alg: 'none' }, payload, nobody),
      'alg none, signed': withHeader({ alg: 'none' }),
      'alg None': forge({ ...header, alg: 'None' }, payload, nobody),
      'no alg': withHeader({ alg: undefined }),
      'no signature': `${headerSegment}.${payloadSegment}.`,
      'HS384 with the secret': forge({ ...header, alg: 'HS384' }, payload, hmac(SECRET, 'sha384')),
      'HS512 with the secret': forge({ ...header, alg: 'HS512' }, payload, hmac(SECRET, 'sha512')),
      'the other algorithm, HS256 with the secret': forge(
        { alg: 'HS256', typ: 'at+jwt', kid: 'x' },
        payload,
        hmac(SECRET),
      ),
      'the other algorithm, EdDSA': forge(
        { alg: 'EdDSA', typ: 'at+jwt' },
        payload,
        ed25519(other.privateKey),
      ),
      'HS256 with the public key as secret': forge({ ...header, alg: 'HS256' }, payload, hmac(publicPem)),
      'HS256 with the published x as secret': forge(
        { ...header, alg: 'HS256' },
        payload,
        hmac(published?.x ?? 'none'),
      ),
      'another key': forge(header, payload, otherSigner),
      'an unknown kid': withHeader({ kid: 'unknown' }),
      'a kid that is a path': withHeader({ kid: '../../dev/null' }),
      'a kid of the language': withHeader({ kid: '__proto__' }),
      jku: withHeader({ jku: 'https://example.com/jwks.json' }),
      x5u: withHeader({ x5u: 'https://example.com/cert.pem' }),
      'a key of its own': forge({ ...header, jwk: publicJwk }, payload, ed25519(other.privateKey)),
      crit: withHeader({ crit: ['exp'] }),
      'an empty crit': withHeader({ crit: [] }),
      'unencoded payload': withHeader({ b64: false, crit: ['b64'] }),
      'typ JWT': withHeader({ typ: 'JWT' }),
      'typ in capitals': withHeader({ typ: 'AT+JWT' }),
      'no typ': withHeader({ typ: undefined }),
      'another order in the header': forge(
        Object.fromEntries(Object.entries(header).reverse()),
        payload,
        sign,
      ),
      'another issuer': withClaims({ iss: 'somebody' }),
      'another audience': withClaims({ aud: 'somebody' }),
      'several audiences': withClaims({ aud: ['groundwork', 'somebody'] }),
      'a list of one audience': withClaims({ aud: ['groundwork'] }),
      'a future nbf': withClaims({ nbf: 4_000_000_000 }),
      'a past nbf': withClaims({ nbf: 1 }),
      'exp as text': withClaims({ exp: String(payload['exp']) }),
      'exp with a fraction': withClaims({ exp: Number(payload['exp']) + 0.5 }),
      'exp without end': withClaims({ exp: 1e300 }),
      'exp in a list': withClaims({ exp: [payload['exp']] }),
      'exp before iat': withClaims({ exp: 4_000_000_000, iat: 4_000_000_001 }),
      'an exp beyond our lifetime': withClaims({ exp: Number(payload['iat']) + 901 }),
      'an iat to come': withClaims({ iat: Number(payload['iat']) + 300, exp: Number(payload['exp']) + 300 }),
      'an exp that is over': withClaims({ exp: Number(payload['iat']) - 1 }),
      'iat as text': withClaims({ iat: String(payload['iat']) }),
      'iat 0': withClaims({ iat: 0 }),
      'a sub that is not an id': withClaims({ sub: 'admin' }),
      'a sub that is a number': withClaims({ sub: 1 }),
      'a sid that is not an id': withClaims({ sid: 'x' }),
      'a jti that is not an id': withClaims({ jti: '' }),
      'an unknown role': withClaims({ role: 'root' }),
      'another claim': withClaims({ scope: 'all' }),
      'payload null': forge(header, null, sign),
      'payload list': forge(header, [payload], sign),
      'payload number': forge(header, 1, sign),
      'payload text': forge(header, '"text"', sign),
      'payload nothing': forge(header, '', sign),
      'payload broken': forge(header, '{"sub":', sign),
      'payload bytes': forge(header, Buffer.from([0xff, 0xfe, 0x00]), sign),
      'header null': forge(null, payload, sign),
      'header list': forge([header], payload, sign),
      'five segments': `${token}.${encode('{}')}.${signature}`,
      'two segments': `${headerSegment}.${payloadSegment}`,
      padding: `${token}=`,
      'a space': `${token} `,
      nothing: '',
      dots: '..',
    }
    for (const claim of Object.keys(payload)) cases[`no ${claim}`] = without(claim)

    for (const [name, candidate] of Object.entries(cases)) {
      t.throws(() => app.tokens.verify(candidate), name)
      const response = await request({
        url: '/api/v1/users/me',
        headers: { authorization: `Bearer ${candidate}` },
      })
      t.equal(response.statusCode, 401, name)
      t.equal(response.headers['www-authenticate'], 'Bearer', name)
      t.equal(response.json().code, 'unauthenticated', name)
    }
    t.ok(app.tokens.verify(token), 'the real one is still good')
  })

  t.test(`${algorithm}: one token has one spelling`, async (t) => {
    const { app, issue } = await createIssuingApp(t, algorithm)
    const token = issue()
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const bytes = (text: string) => Buffer.from(text.slice(text.lastIndexOf('.') + 1), 'base64url')
    const spellings = [...alphabet]
      .map((letter) => token.slice(0, -1) + letter)
      .filter((text) => text !== token && bytes(text).equals(bytes(token)))
    t.ok(spellings.length > 0, 'a lenient decoder knows several')
    for (const text of spellings) t.throws(() => app.tokens.verify(text))
    t.ok(app.tokens.verify(token))
    for (const text of spellings) t.throws(() => app.tokens.verify(text), 'also when the token is known')
  })
}

t.test('EdDSA: a signature has one value', async (t) => {
  const { app, issue } = await createIssuingApp(t, 'EdDSA')
  const token = issue()
  const cut = token.lastIndexOf('.') + 1
  const signature = Buffer.from(token.slice(cut), 'base64url')
  // RFC 8032 section 5.1: s counts modulo L, and s + L must be refused (section 8.4).
  const L = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + L
  const other = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
  t.throws(() =>
    app.tokens.verify(token.slice(0, cut) + encode(Buffer.concat([signature.subarray(0, 32), other]))),
  )
  t.ok(app.tokens.verify(token))
})
