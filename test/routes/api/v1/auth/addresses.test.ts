import t from 'tap'
import * as userRecords from '#services/users/records.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import type { TestApp } from '#test/support/helper.ts'

const PASSWORD = 'correct horse battery staple'

function post({ request }: TestApp, url: string, payload: object) {
  return request({ method: 'POST', url: `/api/v1/${url}`, payload })
}

t.test('international domains register and sign in, in every spelling and case', async (t) => {
  const app = await borrowTestApp(t)
  const created = await post(app, 'users', {
    email: 'Ada@b\u00fccher.example',
    username: 'ada',
    password: PASSWORD,
  })
  t.equal(created.statusCode, 201)
  t.equal(created.json().email, 'Ada@xn--bcher-kva.example', 'the form that every server can deliver to')
  for (const email of [
    'ada@B\u00dcCHER.example',
    'ADA@bu\u0308cher.EXAMPLE',
    'ada@xn--bcher-kva.example',
    'ada@XN--BCHER-KVA.example',
    'ada@b\u00fccher\uff0eexample',
  ]) {
    t.equal((await post(app, 'auth/login', { email, password: PASSWORD })).statusCode, 200, email)
    t.equal((await post(app, 'auth/password/forgot', { email })).statusCode, 202, email)
    const taken = await post(app, 'users', { email, username: 'bob', password: PASSWORD })
    expectProblem(t, taken, { status: 409, code: 'email_taken' }, email)
  }
})

t.test('what most servers cannot deliver to is refused wherever an address is new', async (t) => {
  const app = await borrowTestApp(t)
  const as = await app.signUp({ role: 'admin' })
  for (const email of ['ren\u00e9e@example.com', '\u7528\u6237@example.com', '"ada"@example.com']) {
    const attempts = [
      await post(app, 'users', { email, username: 'ada', password: PASSWORD }),
      await app.request({
        method: 'POST',
        url: '/api/v1/users/invitations',
        payload: { email, username: 'a.b' },
        as,
      }),
      await app.request({ method: 'PATCH', url: '/api/v1/users/me', payload: { email }, as }),
      await app.request({ method: 'PATCH', url: `/api/v1/users/${as.user.id}`, payload: { email }, as }),
    ]
    for (const response of attempts) {
      expectProblem(t, response, { status: 400, code: 'validation_failed', pointers: ['/body/email'] }, email)
      t.match(response.json().errors, [{ code: 'undeliverable_address' }])
    }
  }
})

t.test('accounts from before sign in, with every casing of their address', async (t) => {
  const app = await borrowTestApp(t, { APP_AUTH__LOGIN_LIMIT__PER_ACCOUNT: '3' })
  const password_hash = await app.app.ctx.passwords.hash(PASSWORD)
  const names = [
    '\u03bd\u03af\u03ba\u03bf\u03c2',
    '\u039d\u038a\u039a\u039f\u03a3',
    'stra\u00dfe',
    '\u0130stanbul',
    'd\u0131\u015f',
    '\u01c5ungla',
    'o\ufb03ce',
    '\u0436\u0435\u043d\u044f',
  ]
  for (const [index, name] of names.entries()) {
    const email = `${name}@number${index}.example`.normalize('NFC')
    await userRecords.insert(app.app.ctx, { email, username: `user${index}`, password_hash, verified: true })
    const spellings = new Set([
      email,
      email.toUpperCase(),
      email.toLowerCase(),
      email.toUpperCase().toLowerCase(),
    ])
    for (const spelling of spellings) {
      const { statusCode } = await post(app, 'auth/login', { email: spelling, password: PASSWORD })
      t.equal(statusCode, 200, spelling)
    }
    const twice = userRecords.insert(app.app.ctx, {
      email: email.toUpperCase(),
      username: `other${index}`,
      password_hash,
    })
    await t.rejects(
      twice,
      { message: 'Another account has this email address.' },
      'the unique index folds alike',
    )
    const statuses: number[] = []
    for (const spelling of [email, email.toUpperCase(), email.toLowerCase(), email]) {
      statuses.push((await post(app, 'auth/login', { email: spelling, password: 'wrong' })).statusCode)
    }
    t.strictSame(statuses, [401, 401, 401, 429], 'and so do the limits')
  }
})
