import fc from 'fast-check'
import t from 'tap'
import { amount } from '#test/support/amount.ts'
import { ALGORITHMS, createIssuingApp } from './forge.ts'
import { mutations } from './mutations.ts'

/** For each of the two algorithms. */
const VERIFIED = amount({ few: 1000, many: 50_000 })
const SENT = amount({ few: 100, many: 2000 })

for (const algorithm of ALGORITHMS) {
  t.test(`${algorithm}: no mutation of a valid token is accepted`, async (t) => {
    const { app, issue, sign } = await createIssuingApp(t, algorithm, { APP_LOG__LEVEL: 'silent' })
    const tokens = [issue(), issue(), issue()]
    const accepts = (token: string) => {
      try {
        app.tokens.verify(token)
        return true
      } catch {
        return false
      }
    }
    const isRefused = fc.property(mutations({ tokens, sign }), (token) => !accepts(token))
    const result = fc.check(isRefused, { numRuns: VERIFIED })
    t.notOk(result.failed, fc.defaultReportMessage(result) ?? 'no counterexample')
    t.equal(result.numRuns, VERIFIED)
    t.ok(tokens.every(accepts), 'the originals still are')
  })

  t.test(`${algorithm}: each mutation gets the one 401`, async (t) => {
    const { issue, request, sign } = await createIssuingApp(t, algorithm, { APP_LOG__LEVEL: 'silent' })
    const tokens = [issue(), issue(), issue()]
    const send = (token: string) =>
      request({ url: '/api/v1/users/me', headers: { authorization: `Bearer ${token}` } })
    const isRefused = fc.asyncProperty(mutations({ tokens, sign }), async (token) => {
      // More spaces after the scheme are the token itself (RFC 9110 section 11.4).
      fc.pre(!tokens.includes(token.trimStart()))
      const response = await send(token)
      return response.statusCode === 401 && response.json().code === 'unauthenticated'
    })
    const result = await fc.check(isRefused, { numRuns: SENT })
    t.notOk(result.failed, fc.defaultReportMessage(result) ?? 'no counterexample')
    for (const token of tokens) t.equal((await send(token)).statusCode, 200, 'the originals still pass')
  })
}
