import t from 'tap'
import { findWords } from '#test/words/words.ts'

t.test('words that we do without are found, with what to write instead', async (t) => {
  const found = findWords('lib/a.ts', '/** What it gives. */\nconst a = 1\n// begun anew')
  t.match(found, [
    { line: 1, word: '/** What', instead: /a noun or a verb/ },
    { line: 1, word: 'gives', instead: /returns/ },
    { line: 3, word: 'anew', instead: 'again' },
  ])
})

t.test('a phrase is found that goes on in the next line, once', async (t) => {
  const comment = '/**\n * The response is checked and held\n * against the document.\n */'
  t.match(findWords('a.ts', comment), [{ line: 2, word: 'held against' }])
  t.equal(findWords('a.ts', comment).length, 1)
  t.match(findWords('a.md', 'An id\nis none.'), [{ line: 2, word: 'is none' }])
})

t.test('words within others, and right uses, are left alone', async (t) => {
  for (const text of ['recommended', 'there is none', 'there are no users', 'is no longer', 'gives up']) {
    t.same(findWords('a.md', text), [], text)
  }
})
