import { readFileSync } from 'node:fs'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import { REQUEST_END_STEPS, REQUEST_STEPS, requestOrder } from '#plugins/http/order.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

/** The steps of every request. To change this list is to decide that clients see something else. */
const ORDER = [
  ['onRequest', 'request end'],
  ['onRequest', 'request id'],
  ['onRequest', 'security headers'],
  ['onRequest', 'local only'],
  ['onRequest', 'span'],
  ['onRequest', 'preflight limit'],
  ['onRequest', 'cors'],
  ['onRequest', 'rate limit'],
  ['onRequest', 'malformed request'],
  ['onRequest', 'pipelining'],
  ['onRequest', 'pressure'],
  ['preValidation', 'span context'],
]

t.test('the steps of a request have this order', async (t) => {
  const steps = Object.entries(REQUEST_STEPS).map(([name, hook]) => [hook, name])
  t.strictSame(steps, ORDER)
  t.strictSame(REQUEST_END_STEPS, ['metrics', 'errors', 'span', 'refusals', 'log'])
})

t.test('docs/architecture.md shows the same list', async (t) => {
  const page = readFileSync(new URL('../../../docs/architecture.md', import.meta.url), 'utf8')
  const rows = page.matchAll(/^\| `(\w+)` +\| ([\w ]+?) +\|/gm)
  t.strictSame(
    [...rows].map(([, hook, name]) => [hook, name]),
    ORDER,
  )
})

t.test('each step is offered by a plugin, whatever order plugins are loaded in', async (t) => {
  const { app } = await borrowTestApp(t, {
    APP_CORS__ALLOWED_ORIGINS: 'https://app.example',
    APP_RATE_LIMIT__ENABLED: 'true',
    APP_SERVER__LOCAL_ONLY: 'true',
  })
  // Without traces there is not a hook; with them see test/server/tracing.
  const withoutTraces = ORDER.map(([, name]) => name).filter((name) => !name?.startsWith('span'))
  t.strictSame(app.requestSteps, withoutTraces)
})

/** Properties that plugins give every request and reply: one that came later would change the shape of each. */
const DECORATED = {
  request: [
    ...['admitted', 'apiKey', 'asDoorman', 'asListener', 'asMember', 'ctx', 'expectedVersions', 'failure'],
    ...['inOrganization', 'inSpace', 'isMember', 'isRepeatedRefusal', 'keyOwner', 'keyText', 'newUpload'],
    ...[
      'ownContext',
      'owner',
      'principal',
      'refusal',
      'repeatable',
      'sessionId',
      'span',
      'tokenText',
      'upload',
    ],
    ...['uploadPart', 'user'],
  ],
  reply: [
    ...['answeredOnce', 'asPage', 'describeUpload', 'locate', 'sendContent', 'sendJson', 'sendOnce'],
    ...['sendVersioned'],
  ],
}

t.test('requests and replies have all their properties from the beginning', async (t) => {
  const { app } = await borrowTestApp(t)
  t.strictSame(
    DECORATED.request.filter((name) => !app.hasRequestDecorator(name)),
    [],
  )
  t.strictSame(
    DECORATED.reply.filter((name) => !app.hasReplyDecorator(name)),
    [],
  )
})

t.test('hooks run in the order of the list', async (t) => {
  const ran: string[] = []
  const app = await orderedApp(t)
  app.step('span context', async () => void ran.push('span context'))
  app.step('pressure', async () => void ran.push('pressure'))
  await app.stepOf('cors', () =>
    app.register(fp(async (app) => void app.addHook('onRequest', async () => void ran.push('cors')))),
  )
  app.step('request end', async () => void ran.push('request end'))
  app.applySteps()
  app.addHook('onRequest', async () => void ran.push('what comes after plugins/'))
  app.get('/', async () => 'ok')
  await app.inject('/')
  t.strictSame(ran, ['request end', 'cors', 'pressure', 'what comes after plugins/', 'span context'])
})

t.test('a plugin that names no step does not start', async (t) => {
  const nothing = async () => {}
  const refused: readonly (readonly [
    name: string,
    plugin: (app: FastifyInstance) => Promise<void>,
    RegExp,
  ])[] = [
    [
      'onRequest',
      async (app) => void app.addHook('onRequest', nothing),
      /a hook \(onRequest\) .* name its step in REQUEST_STEPS \(plugins\/http\/order\.ts\)/,
    ],
    ['onSend', async (app) => void app.addHook('onSend', nothing), /a hook \(onSend\)/],
    ['onResponse', async (app) => void app.addHook('onResponse', nothing), /a hook \(onResponse\)/],
    [
      'another hook than that of the step',
      (app) => app.stepOf('cors', async () => app.addHook('preHandler', nothing)),
      /a hook \(preHandler\)/,
    ],
    ['a plugin without a hook', (app) => app.stepOf('cors', nothing), /adds no onRequest hook/],
    [
      'a step that is taken',
      async (app) => {
        app.step('cors', nothing)
        app.step('cors', nothing)
      },
      /the step 'cors' is taken/,
    ],
    [
      'a step that comes too late',
      async (app) => {
        app.applySteps()
        app.step('cors', nothing)
      },
      /the step 'cors' is offered too late/,
    ],
    [
      'a route that would miss the steps',
      async (app) => {
        await app.register(async (child) => void child.get('/early', nothing))
      },
      /\/early would miss the request's steps/,
    ],
  ]
  for (const [name, plugin, message] of refused) {
    const app = await orderedApp(t)
    await t.rejects(async () => app.register(fp(plugin)), { message }, name)
  }
})

t.test('hooks of a start, of an end and of one route need no step', async (t) => {
  const app = await orderedApp(t)
  app.addHook('onReady', async () => {})
  app.addHook('onClose', async () => {})
  app.applySteps()
  await app.register(async (child) => {
    child.addHook('onRequest', async (_request, reply) => reply.send('child'))
    child.get('/child', async () => 'handler')
  })
  t.equal((await app.inject('/child')).body, 'child')
})

async function orderedApp(t: Test): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(requestOrder)
  return app
}
