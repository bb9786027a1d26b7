import fc from 'fast-check'
import t from 'tap'
import { Html, html } from '#lib/html/html.ts'

const ESCAPED = '&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;&lt;/b&gt;'

t.test('text is escaped, in elements and in attributes', async (t) => {
  const text = `<b a="1" c='2'>&amp;</b>`
  t.equal(html`<p title="${text}">${text}</p>`.markup, `<p title="${ESCAPED}">${ESCAPED}</p>`)
})

t.test('markup is not, alone or in lists', async (t) => {
  const items = ['a', '<'].map((text) => html`<li>${text}</li>`)
  t.equal(html`<ul>${items}</ul>${new Html('<hr>')}`.markup, '<ul><li>a</li><li>&lt;</li></ul><hr>')
  t.equal(`${html`<br>`}`, '<br>')
})

t.test('what is written in the template stays as it is', async (t) => {
  t.equal(html`<pre>\n${'x'}</pre>`.markup, '<pre>\n' + 'x</pre>')
})

t.test('no text can make markup', async () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { markup } = html`${text}`
      if (/[<>"']/.test(markup)) throw new Error(markup)
    }),
  )
})
