import Fastify from 'fastify'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { maxAgeSeconds, type Requirement, stepUp } from '#plugins/api/authentication/step-up.ts'
import type { Identity } from '#services/sessions/identity/identities.ts'

const time = '2026-01-31T08:15:30.123Z'
const names = { email: 'a@b.cd', username: 'abc', role: 'admin', is_active: true } as const
const user = { id: uuidv7(), ...names, created_at: time, updated_at: time }
const identity: Identity = { user, authenticatedAt: 0, methods: ['pwd'], readAt: 0, impersonatorId: null }

t.test('the time is one of whole seconds', async (t) => {
  for (const [maxAge, seconds] of [
    ['1s', 1],
    ['10m', 600],
    ['2000ms', 2],
  ] as const) {
    t.equal(maxAgeSeconds({ maxAge }), seconds)
  }
  for (const maxAge of ['', '0s', '10', '-1s', '500ms', '1500ms', '1.5m', 'soon']) {
    t.throws(() => maxAgeSeconds({ maxAge }), /not a duration of whole seconds/, maxAge)
  }
})

t.test('a proof counts to its last millisecond', async (t) => {
  const app = Fastify()
  let age = 0
  app.get('/:id', async (request) => {
    const unless = request.headers['x-own'] === undefined ? {} : ({ unless: 'own account' } as const)
    const requirement: Requirement = { maxAge: '10m', ...unless }
    stepUp({ ageOf: () => age }, requirement)(request, identity)
    return { passed: true }
  })
  t.teardown(() => app.close())
  const passes = async (url: string, headers = {}) =>
    (await app.inject({ url, headers })).json().passed === true

  age = 600_000
  t.ok(await passes('/1'))
  age = 600_001
  t.notOk(await passes('/1'))
  t.notOk(await passes(`/${user.id}`), 'one is asked on the own account too unless the route says otherwise')
  t.ok(await passes(`/${user.id.toUpperCase()}`, { 'x-own': '1' }))
  t.notOk(await passes(`/${uuidv7()}`, { 'x-own': '1' }))
})
