import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { fill, parseTarget, requestFor, textAt } from '#bench/targets/target.ts'

const TARGETS = join(import.meta.dirname, '../../bench/targets')

t.test('the descriptions that come with the suite', async (t) => {
  const files = (await readdir(TARGETS)).filter((name) => name.endsWith('.json'))
  t.ok(files.includes('example.json'))
  for (const file of files) {
    const target = parseTarget(JSON.parse(await readFile(join(TARGETS, file), 'utf8')))
    t.ok(target.name, file)
  }
})

t.test('a mistake is named', async (t) => {
  t.throws(() => parseTarget({ operations: {} }), /name/)
  t.throws(() => parseTarget({ name: 'x', operations: { me: { path: 'users' } } }), /\/operations\/me\/path/)
  t.throws(() => parseTarget({ name: 'x', operations: { you: { path: '/' } } }), /\/operations\/you/)
})

t.test('a request has its values filled in', async (t) => {
  const target = parseTarget({ name: 'x', headers: { 'x-app': 'bench {token}' }, operations: {} })
  const call = { method: 'POST', path: '/{email}', body: { list: ['{email}', 1], again: 'n{n}{unknown}' } }
  t.same(requestFor(target, call, { email: 'a@b.example', token: 'T' }), {
    method: 'POST',
    path: '/a@b.example',
    headers: { authorization: 'Bearer T', 'content-type': 'application/json', 'x-app': 'bench T' },
    body: '{"list":["a@b.example",1],"again":"n{n}{unknown}"}',
  })
  t.same(requestFor(target, { path: '/' }, {}).headers, {}, 'what is for the token is left out')
  const named = parseTarget({ name: 'x', headers: { authorization: 'Token {token}' }, operations: {} })
  t.same(requestFor(named, { path: '/' }, { token: 'T' }).headers, { authorization: 'Token T' })
})

t.test('texts in answers and templates', async (t) => {
  const answer = { data: { 'a/b': ['x', 'token'] }, number: 1 }
  t.equal(textAt(answer, '/data/a~1b/1'), 'token')
  t.equal(textAt(answer, '/number'), undefined)
  t.equal(textAt(answer, '/nothing/there'), undefined)
  t.equal(fill('{a}-{b}', { a: '1' }), '1-{b}')
})
