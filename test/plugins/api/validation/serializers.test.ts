import t from 'tap'
import { createSerializerCompiler } from '#plugins/api/validation/serializers.ts'

const Name = { $id: 'Name', type: 'string' } as const
const Person = { $id: 'Person', type: 'object', properties: { name: { $ref: 'Name' } } } as const
const Node = {
  $id: 'Node',
  type: 'object',
  properties: { value: { $ref: 'Person#' }, next: { $ref: 'Node' } },
} as const
const SHARED = new Map([Name, Person, Node].map((schema) => [schema.$id, schema]))

t.test(
  'what a schema refers to is written, however far away, and what it does not name is not',
  async (t) => {
    const serializerOf = createSerializerCompiler(SHARED)
    const people = serializerOf({ type: 'array', items: { $ref: 'Person' } })
    t.equal(people([{ name: 'Ada', secret: 1 }]), '[{"name":"Ada"}]')
    const list = serializerOf({ $ref: 'Node' })
    const value = { value: { name: 'Ada' }, next: { value: { name: 'Grace', secret: 1 } } }
    t.equal(list(value), '{"value":{"name":"Ada"},"next":{"value":{"name":"Grace"}}}')
    const self = serializerOf(Node)
    t.equal(self(value), list(value), 'a shared schema is a schema too')
  },
)

t.test('what is the same is compiled once', async (t) => {
  const serializerOf = createSerializerCompiler(SHARED)
  const schema = () => ({ type: 'object', properties: { person: { $ref: 'Person' } } }) as const
  t.equal(serializerOf(schema()), serializerOf(schema()))
  t.not(serializerOf(schema()), serializerOf({ ...schema(), properties: {} }))
})

t.test('a reference that leads nowhere keeps the service from starting', async (t) => {
  t.throws(() => createSerializerCompiler(SHARED)({ $ref: 'Nothing' }), /Nothing/)
})
