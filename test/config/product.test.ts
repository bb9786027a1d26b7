import t from 'tap'
import { ConfigError } from '#config/engine/config-error.ts'
import { loadConfig } from '#config/load.ts'
import { documentInfo } from '#plugins/api/openapi/document-info.ts'
import { createTestApp } from '#test/support/helper.ts'

function problemsOf(env: Record<string, string>): number {
  try {
    loadConfig({ env })
    return 0
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.length
    throw error
  }
}

t.test('the product', async (t) => {
  t.strictSame(loadConfig({ env: {} }).config.product, { name: 'Groundwork' })
  for (const name of ['Acme', 'Acme & Söhne, Inc.', 'x'.repeat(60), '日本']) {
    t.equal(problemsOf({ APP_PRODUCT__NAME: name }), 0, name)
  }
  for (const name of ['', 'a\nb', 'a\u2028b', 'a\u202eb', '<b>', 'x'.repeat(61)]) {
    t.equal(problemsOf({ APP_PRODUCT__NAME: name }), 1, encodeURIComponent(name))
  }
  for (const support of [
    'help@acme.example',
    'help+me&you@acme.example',
    'hilfe@bücher.example',
    'https://acme.example/help?topic=1#top',
  ]) {
    t.equal(problemsOf({ APP_PRODUCT__SUPPORT: support }), 0, support)
  }
  for (const support of [
    'help',
    'mailto:help@acme.example',
    'javascript:alert(1)',
    'a@b',
    'a@b.c?subject=x',
    'https://',
  ]) {
    t.equal(problemsOf({ APP_PRODUCT__SUPPORT: support }), 1, support)
  }
  t.equal(problemsOf({ APP_PRODUCT__URL: 'https://app.acme.example/start' }), 0)
  t.equal(problemsOf({ APP_PRODUCT__URL: 'app.acme.example' }), 1)
})

t.test('the document names it, and whom to ask', async (t) => {
  const bare = await createTestApp(t, { APP_ROLE: 'web' })
  t.equal(documentInfo(bare.app).info?.title, 'Groundwork')
  t.equal(documentInfo(bare.app).info?.contact, undefined)
  const env = { APP_ROLE: 'web', APP_PRODUCT__NAME: 'Acme', APP_PRODUCT__URL: 'https://app.acme.example' }
  const mailed = await createTestApp(t, { ...env, APP_PRODUCT__SUPPORT: 'help@acme.example' })
  t.match(documentInfo(mailed.app).info, {
    title: 'Acme',
    contact: { name: 'Acme support', url: 'https://app.acme.example', email: 'help@acme.example' },
  })
  const linked = await createTestApp(t, { ...env, APP_PRODUCT__SUPPORT: 'https://acme.example/help' })
  t.same(documentInfo(linked.app).info?.contact, { name: 'Acme support', url: 'https://acme.example/help' })
})
