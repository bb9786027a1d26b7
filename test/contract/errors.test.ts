import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import '#app.ts'
import { errorCatalogue } from '#lib/errors.ts'
import { createTestApp } from '#test/support/helper.ts'
import { type Document, member, operationsOf, responsesOf } from './document.ts'

/** Sent where the document has no operation: no such route, or no request yet. */
const OUTSIDE_OF_OPERATIONS = [
  'headers_too_large',
  'method_not_allowed',
  // Of the panel's session, which only the panel's page may use.
  'not_from_panel',
  // Of development that is for one machine only.
  'not_local',
  // Of what asks for a WebSocket.
  'origin_not_allowed',
  'request_timeout',
  'upgrade_required',
]

t.test('every error', async (t) => {
  // Plugins and routes bring the errors of what they use.
  const { app } = await createTestApp(t)
  const catalogue = [...errorCatalogue().values()]

  t.test('stands in docs/api/errors.md with its status, and no other does', async (t) => {
    const text = await readFile(join(import.meta.dirname, '../../docs/api/errors.md'), 'utf8')
    const rows = [...text.matchAll(/^\| *`(\w+)` *\| *(\d{3}) *\| *(\S.*?) *\| *(\S.*?) *\|$/gm)]
    const documented = rows.map(([, code, status]) => `${code} ${status}`).sort()
    t.strictSame(documented, catalogue.map(({ code, status }) => `${code} ${status}`).sort())
  })

  t.test('has a code of its own, a 4xx or 5xx status, and words', async (t) => {
    for (const { code, status, title, detail } of catalogue) {
      t.match(code, /^[a-z]+(?:_[a-z]+)*$/, code)
      t.ok(status >= 400 && status <= 599, `${code} has status ${status}`)
      t.match(title, /^[A-Z].*[^.]$/, code)
      t.match(detail, /^[A-Z].*\.$/, code)
    }
  })

  t.test('is documented where it can come, with the words that are sent', async (t) => {
    const document: Document = JSON.parse(JSON.stringify(app.swagger()))
    const seen = new Set<string>()
    for (const { operation } of operationsOf(document)) {
      for (const [status, response] of responsesOf(document, operation)) {
        const examples = member(response, 'content', 'application/problem+json', 'examples') ?? {}
        for (const [code, example] of Object.entries(examples)) {
          seen.add(code)
          const { title, detail } = errorCatalogue().get(code) ?? {}
          t.match(example, { value: { code, status: Number(status), title, detail } }, `${status} ${code}`)
        }
      }
    }
    const missing = catalogue.map(({ code }) => code).filter((code) => !seen.has(code))
    t.strictSame(missing.sort(), OUTSIDE_OF_OPERATIONS)
  })
})
