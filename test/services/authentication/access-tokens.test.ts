import t from 'tap'
import { encodeHeader, headerSegment, readClaims } from '#services/authentication/access-tokens.ts'

const POLICY = { issuer: 'us', audience: 'them', lifetimeS: 900 }
const NOW = new Date('2026-01-31T08:15:30.500Z')
const iat = Math.floor(NOW.getTime() / 1000)
const ID = '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90'
const CLAIMS = { iss: 'us', aud: 'them', sub: ID, sid: ID, role: 'user', iat, exp: iat + 900, jti: ID }

t.test('claims that are ours', async (t) => {
  const rows = [
    {},
    { role: 'admin' },
    { exp: iat + 1 },
    { iat: iat - 10_000, exp: iat - 9_100 },
    { iat: iat + 120, exp: iat + 1020 },
  ]
  for (const changes of rows) {
    const { iss, aud, ...said } = { ...CLAIMS, ...changes }
    t.strictSame(readClaims({ iss, aud, ...said }, POLICY, NOW), said, JSON.stringify(changes))
  }
})

t.test('claims that are not', async (t) => {
  const rows: object[] = [
    { iss: 'others' },
    { aud: ['them'] },
    { sub: 'me' },
    { sub: undefined },
    { sid: undefined },
    { sid: 7 },
    { jti: 7 },
    { role: 'root' },
    { iat: String(iat) },
    { iat: -1, exp: 1 },
    { iat: Number.NaN },
    { iat: iat + 121, exp: iat + 1021 },
    { exp: iat + 901 },
    { exp: iat },
    { exp: iat + 0.5 },
    { exp: Number.POSITIVE_INFINITY },
    { nbf: iat },
    { scope: 'all' },
  ]
  for (const changes of rows) {
    t.throws(() => readClaims({ ...CLAIMS, ...changes }, POLICY, NOW), TypeError, JSON.stringify(changes))
  }
  t.throws(() => readClaims([], POLICY, NOW), TypeError)
})

t.test('the header of a token in its one spelling', async (t) => {
  const header = encodeHeader({ alg: 'HS256' })
  t.equal(header, 'eyJhbGciOiJIUzI1NiJ9')
  t.equal(headerSegment(`${header}.e30.AAAA`), header)
  t.equal(headerSegment('..'), '')
  // Of a last group of two letters four bits stand for nothing, of three two.
  t.equal(headerSegment('AQ.AAE.AAAA'), 'AQ')
  for (const text of [
    'AR.AA.AA',
    'AA.AAF.AA',
    'AA.AA.A',
    'AA.AA',
    'AA.AA.AA.AA',
    'AA.AA.AA=',
    'A A.AA.AA',
    '',
  ]) {
    t.throws(() => headerSegment(text), TypeError, text)
  }
})
