import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { loadAssets } from '#lib/browser-modules/browser-modules.ts'
import { makeAssets } from '#lib/browser-modules/make-assets.ts'

const FILES = {
  'page.ts': 'export const a: number = 1\n',
  'page.css': 'p { color: red }\n',
  'README.md': 'no',
  deep: { 'part.js': 'export {}\n' },
}

function sources(t: Test) {
  const path = t.testdir({ own: FILES, package: { 'lib.js': 'var lib = 1\n' } })
  const url = pathToFileURL(path).href
  const packages = {
    'lib/lib.js': { url: `${url}/package/lib.js`, append: 'export { lib }\n' },
    'lib/LICENSE': { url: `${url}/own/README.md` },
  }
  return { path, url, sources: { folder: `${url}/own`, packages } }
}

t.test('modules and styles are as browsers get them', async (t) => {
  const { path, sources: of } = sources(t)
  const { hash, files } = await makeAssets(of)
  const script = 'text/javascript; charset=utf-8'
  t.strictSame(
    Array.from(files, ([name, { type, body }]) => [name, type, Buffer.from(body).toString()]),
    [
      ['deep/part.js', script, 'export {}\n'],
      ['lib/lib.js', script, 'var lib = 1\nexport { lib }\n'],
      ['page.css', 'text/css; charset=utf-8', 'p { color: red }\n'],
      ['page.ts', script, 'export const a         = 1\n'],
    ],
    'in the order of their paths, and nothing else',
  )
  for (const { body, brotli } of files.values()) t.ok(brotliDecompressSync(brotli).equals(body))
  t.match(hash, /^[0-9a-f]{16}$/)
  t.equal((await makeAssets(of)).hash, hash, 'the same for the same files')
  writeFileSync(`${path}/own/README.md`, 'other')
  t.equal((await makeAssets(of)).hash, hash, 'of what browsers get')
  const others = [
    { ...of, packages: {} },
    { ...of, packages: { 'lib/other.js': of.packages['lib/lib.js'] } },
    { ...of, packages: { 'lib/lib.js': { ...of.packages['lib/lib.js'], append: '' } } },
  ]
  const hashes = await Promise.all(others.map(async (other) => (await makeAssets(other)).hash))
  t.equal(new Set([hash, ...hashes]).size, 4, 'another one for other files, names or bytes')
})

t.test('they are made once in a process, and again after a failure', async (t) => {
  const { path, sources: of } = sources(t)
  writeFileSync(`${path}/own/bad.ts`, 'enum Bad { A }')
  const [first, second] = [loadAssets(of), loadAssets(of)]
  t.equal(first, second)
  await t.rejects(first, { name: 'SyntaxError' })
  writeFileSync(`${path}/own/bad.ts`, 'export {}')
  const made = loadAssets(of)
  t.not(made, first)
  t.ok((await made).files.has('bad.ts'))
  t.equal(await loadAssets(of), await made)
})
