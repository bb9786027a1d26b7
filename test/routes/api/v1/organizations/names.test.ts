import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createOrganization } from '#test/support/organizations.ts'

/** Names that would be more than one line, or change the line that they stand in. */
const REFUSED = [
  'Two\nlines',
  'Two\r\nlines',
  'A\ttab',
  'A bell\u0007',
  'Gone\u007f',
  'Next\u0085',
  '\u001b[2J',
]
const SEPARATORS = ['Two\u2028lines', 'Two\u2029paragraphs', 'Turned\u202egnp.exe', 'Turned\u2066round']
/** Names that nobody would see. */
const BLANK = ['\u3164', '\u115f\u1160', '\uffa0', '\u2800', '\u034f\ufe0f']
/** Names as people have them. */
const ACCEPTED = ['Café Müller & Söhne', '株式会社', 'شركة', 'Ο Νίκος', '👩‍👩‍👧 family', 'a\u00a0b']

/** The same, as a keyboard may write it: the accent is a character of its own. */
const [COMPOSED, DECOMPOSED] = ['Caf\u00e9', 'Cafe\u0301']

const MESSAGE = 'must be one line of text that is not blank, without control characters'

t.test('names of organizations, projects and keys are one line', async (t) => {
  const { app, request } = await borrowTestApp(t)
  const { url, owner: as } = await createOrganization(app)
  const key = { name: 'A key', scopes: ['projects:read'] }
  const made = async (path: string, payload: object) =>
    `${url}${path}/${(await request({ method: 'POST', url: `${url}${path}`, payload, as })).json().id}`
  const inputs = [
    { method: 'POST', url: '/api/v1/organizations', payload: {} },
    { method: 'PATCH', url, payload: {} },
    { method: 'POST', url: `${url}/projects`, payload: {} },
    { method: 'PATCH', url: await made('/projects', { name: 'A project' }), payload: {} },
    { method: 'POST', url: `${url}/api-keys`, payload: key },
    { method: 'PATCH', url: await made('/api-keys', key), payload: {} },
  ] as const

  for (const { payload, ...input } of inputs) {
    for (const name of [...REFUSED, ...SEPARATORS, ...BLANK]) {
      const response = await request({ ...input, payload: { ...payload, name }, as })
      expectProblem(t, response, { status: 400, code: 'validation_failed', pointers: ['/body/name'] })
      const [{ code, message }] = response.json().errors
      t.strictSame([code, message], ['invalid_format', MESSAGE], encodeURIComponent(name))
    }
  }
  for (const name of ACCEPTED) {
    const response = await request({ method: 'PATCH', url, payload: { name }, as })
    t.strictSame([response.statusCode, response.json().name], [200, name])
  }
})

t.test('what nobody sees of a name does not belong to it', async (t) => {
  const { app, request } = await borrowTestApp(t)
  const { url, owner: as } = await createOrganization(app)
  const create = (name: string) => request({ method: 'POST', url: `${url}/projects`, payload: { name }, as })
  t.equal((await create('  Mill\u200b one\u00a0')).json().name, 'Mill one')
  for (const name of ['mill one', 'Mill one ', '\ufeffMill\u00ad one'])
    expectProblem(t, await create(name), { status: 409, code: 'project_name_taken' })
  for (const name of ['  ', '\u200b', '\u00a0\u2060']) {
    const response = await create(name)
    expectProblem(t, response, { status: 400, code: 'validation_failed', pointers: ['/body/name'] })
    t.equal(response.json().errors[0].code, 'too_short')
  }
})

t.test('names that look the same are the same', async (t) => {
  const { app, request, signUp } = await borrowTestApp(t)
  const { url, owner: as, organization } = await createOrganization(app)
  const post = (path: string, payload: object) =>
    request({ method: 'POST', url: `${url}${path}`, payload, as })
  const project = await post('/projects', { name: DECOMPOSED })
  t.equal(project.json().name, COMPOSED)
  const again = await post('/projects', { name: COMPOSED.toUpperCase() })
  expectProblem(t, again, { status: 409, code: 'project_name_taken' })
  const key = await post('/api-keys', { name: DECOMPOSED, scopes: ['projects:read'] })
  t.equal(key.json().name, COMPOSED)
  const renamed = await request({ method: 'PATCH', url, payload: { name: DECOMPOSED }, as })
  t.equal(renamed.json().name, COMPOSED)
  for (const name of [COMPOSED, DECOMPOSED]) {
    const found = await request({ url: `${url}/projects`, query: { name }, as })
    t.match(found.json().data, [{ id: project.json().id }])
  }
  const admin = await signUp({ role: 'admin' })
  const query = { q: DECOMPOSED }
  const searched = await request({ url: '/api/v1/operations/organizations', query, as: admin })
  t.match(searched.json().data, [{ id: organization.id }])
})
