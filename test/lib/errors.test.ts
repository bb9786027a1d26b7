import t from 'tap'
import { defineError, errorCatalogue, ServiceError } from '#lib/errors.ts'

const DEFINITION = { code: 'tea_pot', status: 418, title: 'Tea pot', detail: 'This is a tea pot.' }

t.test('an error carries its definition and what is special this time', async (t) => {
  const TeaPot = defineError(DEFINITION)
  t.equal(TeaPot.definition, DEFINITION)
  const plain = new TeaPot()
  t.ok(plain instanceof ServiceError && plain instanceof TeaPot && plain instanceof Error)
  t.match(plain, { name: 'ServiceError', message: DEFINITION.detail, definition: DEFINITION })
  t.equal(plain.cause, undefined)
  t.equal(plain.retryAfter, undefined)

  const cause = new Error('underneath')
  const special = new TeaPot({ detail: 'It is empty.', retryAfter: 60, cause })
  t.match(special, { message: 'It is empty.', retryAfter: 60 })
  t.equal(special.cause, cause)
  t.equal(errorCatalogue().get('tea_pot'), DEFINITION)
})

t.test('a code is defined once', async (t) => {
  defineError({ ...DEFINITION, code: 'once' })
  t.throws(() => defineError({ ...DEFINITION, code: 'once' }), {
    message: 'the error code once is defined twice',
  })
  t.throws(() => defineError({ ...DEFINITION, code: 'once', status: 400 }))
})
