import { pathToFileURL } from 'node:url'
import t from 'tap'
import { exportsOf } from '#lib/discovery/exports-of.ts'

t.test('all that the files of one name export, in the order of their paths', async (t) => {
  const path = t.testdir({
    one: {
      b: { 'parts.mjs': "export const x = 'one b x'\nexport const y = 'one b y'\n" },
      a: { 'parts.mjs': "export const x = 'one a'\n", 'other.mjs': "throw new Error('not asked for')\n" },
      'parts.mjs': "throw new Error('not of a part')\n",
      c: {
        d: { 'parts.mjs': "throw new Error('too deep')\n" },
        'my-parts.mjs': "throw new Error('of another name')",
      },
    },
    two: { a: { 'parts.mjs': "export const z = 'two a'\n" } },
  })
  const folder = (name: string) => new URL(`${pathToFileURL(path).href}/${name}/`)
  t.strictSame(await exportsOf('parts.mjs', [folder('two'), folder('one')]), [
    'two a',
    'one a',
    'one b x',
    'one b y',
  ])
  t.strictSame(await exportsOf('nothing.mjs', [folder('one')]), [])
})
