import t from 'tap'
import { apply, mutationsOf } from './mutations.ts'

/** Mutations of a text. */
function variants(text: string): string[] {
  return mutationsOf('a.ts', text).map((mutation) => apply(text, mutation))
}

t.test('conditions, calls, constants and options', async (t) => {
  t.strictSame(variants('if (a < b) f()'), ['if (!(a < b)) f()', 'if (a <= b) f()', 'if (a < b) ;'])
  t.strictSame(variants('const a = await f(1)'), ['const a = f(1)', 'const a = await f(2)'])
  t.strictSame(variants('f({ a: true })'), [';', 'f({  })', 'f({ a: false })'])
  t.strictSame(variants('if (a) throw new E()'), ['if (!(a)) throw new E()', 'if (a) {}'])
  t.strictSame(variants('const a = b ?? c'), ['const a = b'])
  t.strictSame(variants('const f = () => transaction(ctx, g)'), ['const f = () => (g)(ctx)'])
})

t.test('a property goes with its comma', async (t) => {
  t.strictSame(variants('const a = { b, ...c, d() {} }'), [
    'const a = {  ...c, d() {} }',
    'const a = { b,  d() {} }',
    'const a = { b, ...c,  }',
  ])
})

t.test('what is for people to read is left alone', async (t) => {
  t.strictSame(variants("f({ summary: 'a', help: 'b', name: 'c' })"), [
    ';',
    "f({ summary: 'a', help: 'b',  })",
  ])
})

t.test('a millisecond more changes nothing', async (t) => {
  t.strictSame(variants('const A_MS = 1000, b = 1000'), ['const A_MS = 1000, b = 1001'])
})

t.test('of what says which comes first only the sign counts', async (t) => {
  t.strictSame(variants('const a = b < c ? -1 : 1'), [
    'const a = !(b < c) ? -1 : 1',
    'const a = b <= c ? -1 : 1',
  ])
  t.equal(variants('const a = b ? 2 : 1').length, 3)
})

t.test('types and imports are left alone', async (t) => {
  t.strictSame(variants("import { a } from 'b'\ntype A = { a: 1 }\ninterface B { c: true }"), [])
})

t.test('statements of SQL', async (t) => {
  t.strictSame(variants('const a = `SELECT a FROM b WHERE c <= $1 AND d IS NULL FOR UPDATE`'), [
    'const a = `SELECT a FROM b WHERE c < $1 AND d IS NULL FOR UPDATE`',
    'const a = `SELECT a FROM b WHERE c <= $1  FOR UPDATE`',
    'const a = `SELECT a FROM b WHERE c <= $1 AND d IS NOT NULL FOR UPDATE`',
    'const a = `SELECT a FROM b WHERE c <= $1 AND d IS NULL `',
  ])
  const [swapped] = variants('const a = `UPDATE a SET b = CASE WHEN c THEN d ELSE e END`')
  t.equal(swapped, 'const a = `UPDATE a SET b = CASE WHEN c THEN e ELSE d END`')
})

t.test('what becomes the result is waited for in any case, unless something comes after it', async (t) => {
  t.strictSame(variants('const f = async () => await g'), [])
  t.strictSame(variants('async function f() { if (a) return await g }'), [
    'async function f() { if (!(a)) return await g }',
    'async function f() { if (a) return undefined }',
  ])
  t.match(variants('async function f() { try { return await g } catch {} }'), [/undefined/, /return g/])
})

t.test('what is false becomes true, and not nothing', async (t) => {
  t.strictSame(variants('function f() { return false }'), ['function f() { return true }'])
  t.strictSame(variants('function f() { return true }'), [
    'function f() { return undefined }',
    'function f() { return false }',
  ])
})

t.test('a mutation says where it is and what it does', async (t) => {
  t.match(mutationsOf('a.ts', '\nawait f(b)'), [
    { line: 2, description: 'drop: await f(b)' },
    { line: 2, description: 'do not wait: await f(b) -> f(b)' },
  ])
})
