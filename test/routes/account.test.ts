import t from 'tap'
import { deriveToken } from '#lib/secrets/secrets.ts'
import { issue } from '#services/one-time-tokens/one-time-tokens.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

const PAGES = [
  'accept-invitation',
  'verify-email',
  'confirm-email',
  'reset-password',
  'choose-password',
  'forgot-password',
  'resend-verification',
]

t.test('the pages that links lead to', async (t) => {
  const { request } = await borrowTestApp(t, { APP_ROLE: 'web' })
  for (const [name, action, asksPassword] of [
    ['verify-email', '../api/v1/auth/email/verify', false],
    ['confirm-email', '../api/v1/auth/email/verify', false],
    ['reset-password', '../api/v1/auth/password/reset', true],
    ['choose-password', '../api/v1/auth/password/reset', true],
    ['accept-invitation', '../api/v1/invitations', true],
    ['forgot-password', '../api/v1/auth/password/forgot', false],
    ['resend-verification', '../api/v1/auth/email/resend', false],
  ] as const) {
    const { statusCode, headers, body } = await request({ url: `/account/${name}` })
    t.equal(statusCode, 200)
    t.match(headers, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    })
    t.match(
      headers['content-security-policy'],
      "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'",
    )
    t.match(headers['content-security-policy'], "form-action 'none'")
    t.match(body, `data-action="${action}"`)
    t.equal(body.includes('type="password"'), asksPassword)
    t.notMatch(
      body,
      /<script(?! type="module" src="(?:account|invitation)\.js">)| style=| on\w+=/,
      'nothing inline',
    )
  }
})

t.test('they name the product, and every one has the next step', async (t) => {
  const bare = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { request } = await borrowTestApp(t, {
    APP_ROLE: 'web',
    APP_PRODUCT__NAME: 'Acme & Söhne',
    APP_PRODUCT__URL: 'https://app.acme.example',
    APP_PRODUCT__SUPPORT: 'help@acme.example',
  })
  for (const name of PAGES) {
    const { body } = await request({ url: `/account/${name}` })
    t.match(body, / - Acme &amp; Söhne<\/title>/)
    t.match(body, '<a class="action" href="https://app.acme.example">Sign in to Acme &amp; Söhne</a>', name)
    t.match(body, '<a href="mailto:help@acme.example">')
    const without = (await bare.request({ url: `/account/${name}` })).body
    t.match(without, / - Groundwork<\/title>/)
    t.notMatch(without, 'Sign in to')
  }
  t.match(
    (await request({ url: '/account/verify-email' })).body,
    'href="resend-verification">Send a new link',
  )
  t.match((await request({ url: '/account/reset-password' })).body, 'href="forgot-password">Send a new link')
  for (const name of ['forgot-password', 'resend-verification'])
    t.match((await request({ url: `/account/${name}` })).body, `No mail? <a href="${name}">`)
  t.match((await request({ url: '/account/accept-invitation' })).body, /declined the invitation\..* ask the/)
})

t.test('a link that a mail program altered shows its page, and nothing is used up', async (t) => {
  const { db, request, signUp, app, logLines } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { user } = await signUp()
  const { id } = await issue(app.ctx, { userId: user.id, purpose: 'reset_password' })
  const token = deriveToken(app.mail.tokenKey, id)
  for (const tail of [
    `%23token=${token}`,
    `%23token%3D${token}`,
    `%2523token%253D${token}`,
    '.',
    ')',
    '%3E',
    '/',
    `/%23token=${token}`,
    // Cut in the middle of an escape.
    ...['%', '%2', '%zz', '%E2%80'],
    ...['%20now', '%0Anow', '=now'],
    `?utm_source=news`,
    `&utm_source=news`,
    `;token=${token}.`,
  ]) {
    for (const accept of ['text/html,*/*;q=0.8', '*/*']) {
      const response = await request({ url: `/account/reset-password${tail}`, headers: { accept } })
      t.match(response, { statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } }, tail)
      t.match(response.body, 'Choose a new password')
      const up = tail.startsWith('/') ? '../' : ''
      t.match(response.body, `src="${up}account.js"`, 'its files are found')
      t.match(response.body, `data-action="${up}../api/v1/auth/password/reset"`)
    }
    const head = await request({ method: 'HEAD', url: `/account/reset-password${tail}` })
    t.match(head, { statusCode: 200, body: '' })
  }
  t.match(await request({ url: '/account/Reset-Password' }), { statusCode: 200 })
  for (const path of [
    '%0Areset-password',
    'reset-%0D%0Apassword',
    'reset-=%0Apassword',
    'reset-%E2%80%8Bpassword',
  ])
    t.match(
      await request({ url: `/account/${path}` }),
      { statusCode: 200, body: /Choose a new password/ },
      path,
    )
  // A base that ends with a slash.
  t.match(await request({ url: '/account//reset-password' }), {
    statusCode: 200,
    body: /src="\.\.\/account\.js"/,
  })
  t.ok(logLines.some((line) => line.includes('/account/reset-password%23token')))
  t.notOk(
    logLines.some((line) => line.includes(token)),
    'the log has no token, however its name was written',
  )
  t.equal((await db.query('SELECT FROM one_time_tokens WHERE id = $1', [id])).length, 1)
})

t.test('an unknown path is a page for people, and a problem document for programs', async (t) => {
  const { request } = await borrowTestApp(t, {
    APP_ROLE: 'web',
    APP_PRODUCT__URL: 'https://app.acme.example',
  })
  for (const [url, up] of [
    ['/account', 'account/'],
    ['/account/', ''],
    ['/account/verify', ''],
    ['/account/verify-emails', ''],
    ['/account/constructor', ''],
    ['/account/a/b?c=d/e', '../'],
  ] as const) {
    const page = await request({ url, headers: { accept: 'text/html,application/xhtml+xml' } })
    t.match(page, { statusCode: 404, headers: { 'content-type': 'text/html; charset=utf-8' } }, url)
    t.match(page.body, `href="${up}forgot-password"`, url)
    t.match(page.body, 'href="https://app.acme.example"')
    const problem = await request({ url, headers: { accept: 'application/json' } })
    t.equal(problem.statusCode, 404)
    t.equal(problem.json().code, 'route_not_found')
  }
})

t.test('a browser is led on from a URL whose beginning was altered, and a program is not', async (t) => {
  const { request } = await borrowTestApp(t, {
    APP_ROLE: 'web',
    APP_SERVER__PUBLIC_URL: 'https://example.com/prefix',
  })
  for (const [url, path] of [
    ['//account/reset-password', 'reset-password'],
    ['/ACCOUNT/Reset-Password', 'Reset-Password'],
    ['/account%2Freset-password%23token%3Dx', 'reset-password%23token%3Dx'],
    ['/%2F/Account//reset-password?a=b', 'reset-password?a=b'],
    ['/account%23token', '%23token'],
    ['/account.', '.'],
    ['//account//evil.example/', 'evil.example/'],
  ] as const) {
    for (const accept of ['text/html', 'application/json']) {
      const response = await request({ url, headers: { accept } })
      if (accept === 'text/html')
        t.match(
          response,
          { statusCode: 302, headers: { location: `/prefix/account/${path}`, vary: /accept/ } },
          url,
        )
      else t.match(response.json(), { status: 404, code: 'route_not_found' }, url)
    }
    const headers = { accept: 'text/html' }
    t.equal((await request({ method: 'POST', url, headers })).statusCode, 404)
  }
  for (const url of ['/accounts/reset-password', '/account-x', '/api/v1/account/x', '/x/account/y'])
    t.equal((await request({ url, headers: { accept: 'text/html' } })).json().code, 'route_not_found', url)
})

t.test('the token is found in what mail programs make of a link', async (t) => {
  const script = new URL('../../routes/account/link-token.js', import.meta.url)
  const { findToken }: { findToken(link: string): string | undefined } = await import(script.href)
  const url = 'https://api.example.com/account/reset-password'
  for (const token of [
    'uYlzK9bXb0oT1mHqYtQk2s4wXwqgjvE0n3vVq3cVvS1',
    '3DlzK9bXb0oT1mHqYtQk2s4wXwqgjvE0n3vVq3cVv_-',
  ]) {
    const [begin, end] = [token.slice(0, 20), token.slice(20)]
    for (const tail of [
      `#token=${token}`,
      `%23token=${token}`,
      `%23token%3D${token}`,
      `%2523token%253D${token}`,
      `#token=3D${token}`,
      `#token=3D${begin}=${end}`,
      `#token=${begin}=%0D%0A${end}`,
      `#token=${begin}=%20${end}`,
      `#token=${begin}%20${end}`,
      ...['%C2%AD', '%E2%80%8B', '%E2%80%8C', '%E2%81%A0'].map((mark) => `#token=${begin}${mark}${end}`),
      `#token=${token}.`,
      `#token=${token})`,
      `#token=${token}>`,
      `#token=${token}%3E.`,
      `#token=${token}&utm_source=news`,
      `#token=${token}?utm_source=news`,
      `?utm_source=news#token=${token}`,
      `?fbclid=1&token=${token}`,
      `#utm_source=news&token=${token}`,
      `#TOKEN=${token}`,
      ...['&#61;', '&#x3D;', '&equals;', '%26%2361%3B', ' = ', '%20='].map((is) => `#token${is}${token}`),
      `&#35;token&#61;${token}&amp;x`,
      ...['%0D%0A%3E%20', '%3E', '> '].map((quote) => `#token=${begin}${quote}${end}`),
    ]) {
      t.equal(findToken(url + tail), token, tail)
    }
  }
  for (const tail of [
    '',
    '#',
    '#token=',
    '#token=short',
    '#token=%',
    '#tokens=uYlzK9bXb0oT1mHqYtQk2s4wXwqgjvE0n3vVq3cVvS1',
  ]) {
    t.equal(findToken(url + tail), undefined, tail)
  }
})

t.test('their script and styles', async (t) => {
  const { request } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const script = await request({ url: '/account/account.js' })
  t.match(script, { statusCode: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' } })
  for (const name of ['form', 'invitation']) {
    const part = await request({ url: `/account/${name}.js` })
    t.match(part, { statusCode: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' } })
  }
  const token = await request({ url: '/account/link-token.js' })
  t.match(token, { statusCode: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' } })
  const styles = await request({ url: '/account/account.css' })
  t.match(styles, { statusCode: 200, headers: { 'content-type': 'text/css; charset=utf-8' } })
})

t.test('they can be turned off', async (t) => {
  const env = { APP_EMAIL__PAGES: 'false', APP_EMAIL__LINK_BASE: 'https://app.example.com' }
  const { app, request } = await borrowTestApp(t, { APP_ROLE: 'web', ...env })
  for (const url of ['/account', '/account/verify-email', '/account/verify-email.']) {
    const response = await request({ url, headers: { accept: 'text/html' } })
    t.equal(response.json().code, 'route_not_found')
  }
  t.equal(app.mail.linkBase, 'https://app.example.com')
})
