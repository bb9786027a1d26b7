import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'

const Address = Type.String({ maxLength: 64 })
const Id = Type.String({ format: 'uuid' })

/** Whose a connection is: the service says so once, and gets it back with each question. */
const Meta = Type.Union([
  Type.Object({ kind: Type.Literal('user'), session: Id, address: Address }),
  Type.Object({ kind: Type.Literal('api_key'), org: Id, key: Id, address: Address }),
])

// Centrifugo sends more than is read, and newer versions even more.
const Connect = Type.Object({ data: Type.Optional(Type.Unknown()) })
const Refresh = Type.Object({ meta: Meta })
const Subscribe = Type.Object({
  meta: Meta,
  channel: Type.String({ maxLength: 1024 }),
  data: Type.Optional(Type.Unknown()),
})

/** Answers the questions of a Centrifugo cluster about its clients (its proxy protocol); nobody else may ask. */
const routes: FastifyPluginAsyncTypebox = async (app) => {
  const { centrifugo } = app
  if (centrifugo === undefined) return
  const common = { config: { access: 'public', cost: 0 }, onRequest: app.centrifugoOnly } as const

  app.post('/connect', { ...common, schema: { hide: true, body: Connect } }, (request) =>
    centrifugo.connect(request.asDoorman(), request.body.data),
  )
  app.post('/refresh', { ...common, schema: { hide: true, body: Refresh } }, ({ body }) =>
    centrifugo.refresh(body.meta),
  )
  app.post('/subscribe', { ...common, schema: { hide: true, body: Subscribe } }, ({ body }) =>
    centrifugo.subscribe(body.meta, body.channel, body.data),
  )
  app.post('/sub-refresh', { ...common, schema: { hide: true, body: Subscribe } }, ({ body }) =>
    centrifugo.refreshSubscription(body.meta, body.channel),
  )
}

export default routes
