import t from 'tap'
import { wantsHtml } from '#lib/html/wants-html.ts'

t.test('pages are for those who ask for them by name', async (t) => {
  const rows: [accept: string | undefined, wants: boolean][] = [
    ['text/html', true],
    ['Text/HTML', true],
    ['application/json, text/html;q=0.8', true],
    [' text/html ; level=1; q=0.001', true],
    ['text/html;charset=0', true],
    ['text/html;q=', true],
    ['text/html;q', true],
    ['text/html;q=0', false],
    ['text/html; Q = 0.000', false],
    ['text/html;level=1;q=0', false],
    ['text/html;q=0, text/html', true],
    ['*/*', false],
    ['text/*', false],
    ['application/xhtml+xml', false],
    ['application/json;text/html', false],
    ['', false],
    [undefined, false],
  ]
  for (const [accept, wants] of rows) t.equal(wantsHtml(accept), wants, String(accept))
})
