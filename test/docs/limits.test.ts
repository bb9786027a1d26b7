import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')
const CONSTANT = /^(?:export )?const ([A-Z][A-Z\d_]*) = ([\d_. *]+)$/gm
/** Names of constants that are on the page, so that a new one is added to it. */
const BOUNDS = /^(?:MAX|MIN|DEFAULT|RETRY_AFTER)_(?!.*_MS$)/

/** The value of a constant, which may be a product of numbers and their powers. */
const evaluate = (text: string) =>
  text
    .replaceAll('_', '')
    .split(' * ')
    .map((factor) => factor.split(' ** ').map(Number))
    .reduce((product, [base = Number.NaN, exponent = 1]) => product * base ** exponent, 1)

t.test('the page of numbers says what the code has', async (t) => {
  const page = readFileSync(join(ROOT, 'docs/limits.md'), 'utf8')
  const rows = page.matchAll(/^\| .* \| ([\d .]+) \| `([^`]+)` `(\w+)` \|$/gm)
  const documented = new Map(
    Array.from(rows, ([, number = '', path, name]) => [
      `${path} ${name}`,
      Number(number.replaceAll(' ', '')),
    ]),
  )
  t.ok(documented.size > 150)
  const missing: string[] = []
  for (const path of globSync('{services,routes,lib,plugins,process}/**/*.ts', { cwd: ROOT })) {
    for (const [, name = '', text = ''] of readFileSync(join(ROOT, path), 'utf8').matchAll(CONSTANT)) {
      const key = `${path.replace('services/', '')} ${name}`
      const number = documented.get(key)
      documented.delete(key)
      if (number !== undefined) t.equal(number, evaluate(text), key)
      else if (BOUNDS.test(name)) missing.push(key)
    }
  }
  t.strictSame(missing, [], 'all bounds are on it')
  t.strictSame([...documented.keys()], [], 'and nothing that is not there')
})
