import t from 'tap'
import { resolveReferences } from '#routes/docs/resolve-references.ts'

const { resolveSubtree } = resolveReferences().fn

t.test('references of a part are resolved, and the rest is left alone', async (t) => {
  const document = {
    paths: { '/a': { get: { answer: { $ref: '#/components/answers/Answer' }, tags: ['a'] } } },
    components: {
      answers: { Answer: { schema: { $ref: '#/components/schemas/Item', description: 'Of its place.' } } },
      schemas: {
        Item: { type: 'object', description: 'Of its own.', items: [{ $ref: '#/components/schemas/Id' }] },
        Id: { type: 'string' },
      },
    },
  }
  t.strictSame(await resolveSubtree(document, ['paths', '/a', 'get']), {
    errors: [],
    spec: {
      tags: ['a'],
      answer: {
        $$ref: '#/components/answers/Answer',
        schema: {
          $$ref: '#/components/schemas/Item',
          type: 'object',
          description: 'Of its place.',
          items: [{ $$ref: '#/components/schemas/Id', type: 'string' }],
        },
      },
    },
  })
})

t.test('a schema that contains itself is unfolded once', async (t) => {
  const document = { schemas: { Tree: { items: { $ref: '#/schemas/Tree' } } } }
  t.strictSame(await resolveSubtree(document, ['schemas', 'Tree']), {
    errors: [],
    spec: { items: { $$ref: '#/schemas/Tree', items: { $ref: '#/schemas/Tree' } } },
  })
})

t.test('what is not there is nothing', async (t) => {
  t.strictSame(await resolveSubtree({ paths: {} }, ['paths', '/a', 'get']), { errors: [], spec: undefined })
})

t.test('its source runs where nothing else of ours does', async (t) => {
  const { fn } = new Function(`return (${resolveReferences})()`)()
  t.strictSame(await fn.resolveSubtree({ a: { b: 1 } }, ['a']), { errors: [], spec: { b: 1 } })
})
