import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startChromium, withoutChromium } from '#test/support/chromium.ts'
import { flaws } from '#test/support/flaws.ts'
import { createTestApp } from '#test/support/helper.ts'
import { nextMail, tokenIn } from '#test/support/mails.ts'
import { createOrganization } from '#test/support/organizations.ts'

/** The narrowest screen that has to do, and a wide one. */
const WIDTHS = [360, 1280]

/** Fails `t` when the page is wider than the screen, at any width and in either colour scheme. */
async function fits(t: Test, page: Page): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const content = await page.evaluate('document.documentElement.scrollWidth')
      t.ok(Number(content) <= width, `${page.url()} fits ${width} px, ${colorScheme}`)
    }
  }
}

t.test(
  'a forgotten password, from the first page to the next login',
  { skip: withoutChromium },
  async (t) => {
    const { app, request, signUp } = await createTestApp(t)
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    const { user, password } = await signUp()
    const page = await (await startChromium(t)).newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))

    await page.goto(`${origin}/account/forgot-password`)
    await fits(t, page)
    await page.click('button')
    t.match(await page.textContent('.field .error:visible'), 'Enter your email address.')
    t.equal(await page.getAttribute('input', 'aria-invalid'), 'true')
    await page.fill('input[name=email]', user.email)
    await page.keyboard.press('Enter')
    t.match(await page.textContent('.done:visible'), 'the mail is on its way')
    await fits(t, page)

    const link = `${origin}/account/reset-password#token=${tokenIn(await nextMail(app, user.email))}`
    await page.goto(link)
    t.equal(page.url(), `${origin}/account/reset-password`, 'the token is out of the address bar')
    await fits(t, page)
    await page.fill('input[name=password]', 'short')
    await page.click('button')
    t.match(await page.textContent('.field .error:visible'), /^The password .*8 characters/)
    await page.check('input[name=show]')
    t.equal(await page.getAttribute('input[name=password]', 'type'), 'text')
    await page.fill('input[name=password]', 'an entirely new secret')
    await page.click('button')
    t.match(await page.textContent('.done:visible'), 'Your password is changed.')

    const login = (secret: string) =>
      request({ method: 'POST', url: '/api/v1/auth/login', payload: { email: user.email, password: secret } })
    t.equal((await login('an entirely new secret')).statusCode, 200)
    t.equal((await login(password)).statusCode, 401)

    await page.goto('about:blank')
    await page.goto(link)
    await page.fill('input[name=password]', 'another entirely new secret')
    await page.click('button')
    await page.waitForSelector('.invalid:visible')
    await page.click('.invalid a[href$=forgot-password]')
    t.equal(page.url(), `${origin}/account/forgot-password`, 'a link that was used leads to a new one')
    const unexpected = complaints.filter((text) => !text.includes('the server responded with a status of 4'))
    t.strictSame(unexpected, [], 'the browser has nothing to complain of')
  },
)

t.test('pages fit with a long name of the product, too', { skip: withoutChromium }, async (t) => {
  const { app } = await createTestApp(t, {
    APP_PRODUCT__NAME: 'Rindfleischetikettierungsueberwachungsaufgaben'.padEnd(60, 'x'),
    APP_PRODUCT__URL: `https://${'app-of-the-product'.repeat(3)}.example`,
    APP_PRODUCT__SUPPORT: `https://${'help-of-the-product'.repeat(3)}.example/contact`,
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const page = await (await startChromium(t)).newPage()
  for (const path of [
    '/',
    '/dev/mail',
    '/account/forgot-password',
    '/account/reset-password',
    '/account/x',
  ]) {
    await page.goto(origin + path)
    await fits(t, page)
    t.strictSame(await flaws(page), [], `${path}: accessible`)
  }
})

t.test('an invitation, from the mail to the membership', { skip: withoutChromium }, async (t) => {
  const { app, request } = await createTestApp(t)
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const tenant = await createOrganization(app)
  const page = await (await startChromium(t)).newPage()
  const open = async (email: string) => {
    await tenant.invite(email, 'admin')
    await page.goto('about:blank')
    await page.goto(`${origin}/account/accept-invitation#token=${tokenIn(await nextMail(app, email))}`)
    await page.waitForSelector('form:visible')
  }

  await open('grace@example.com')
  t.equal(page.url(), `${origin}/account/accept-invitation`, 'the token is out of the address bar')
  t.equal(await page.textContent('[data-part=organization_name]'), tenant.organization.name)
  t.equal(await page.textContent('[data-part=role]'), 'admin')
  await fits(t, page)
  await page.click('button[type=submit]')
  t.match(await page.textContent('.field .error:visible'), 'Enter a user name.')
  await page.fill('input[name=username]', 'g')
  await page.fill('input[name=password]', 'short')
  await page.click('button[type=submit]')
  t.match(await page.textContent('#password-error:visible'), /^The password .*8 characters/)
  t.match(await page.textContent('#username-error:visible'), /^The user name /)
  await fits(t, page)
  await page.fill('input[name=username]', 'grace')
  await page.fill('input[name=password]', 'an entirely new secret')
  await page.click('button[type=submit]')
  t.match(await page.textContent('.done:visible'), 'You are a member now.')
  const members = (await request({ url: `${tenant.url}/members`, as: tenant.owner })).json().data
  t.match(members, [{ role: 'owner' }, { username: 'grace', role: 'admin' }])

  await open('ada@example.com')
  await page.click('button[name=decline]')
  t.match(await page.textContent('.declined:visible'), 'You have declined the invitation.')
  await page.goto('about:blank')
  await page.goto(`${origin}/account/accept-invitation#token=${'a'.repeat(43)}`)
  await page.waitForSelector('.invalid:visible')
  await fits(t, page)
})
