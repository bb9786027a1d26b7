import { readFileSync } from 'node:fs'
import type { FastifyContextConfig } from 'fastify'
import t from 'tap'
import { createTestApp } from '#test/support/helper.ts'

/** Configuration of the routes, by operation, or by method and URL where they are not in the document. */
const configs = new Map<string, FastifyContextConfig>()

t.before(async () => {
  await createTestApp(t, {}, async (instance) => {
    instance.addHook('onRoute', ({ config = {}, method, schema, url }) => {
      // HEAD routes are those of their GET.
      if (method !== 'HEAD') configs.set(schema?.operationId ?? `${method} ${url}`, config)
    })
  })
})

/** The routes whose configuration is so, and the operations among them alone. */
function which(is: (config: FastifyContextConfig) => boolean): string[] {
  return [...configs].flatMap(([name, config]) => (is(config) ? [name] : [])).sort()
}

function isOperation(name: string): boolean {
  return !name.includes(' ')
}

function page(path: string): string {
  return readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8')
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/`(\w+)`/g)].map(([, name = '']) => name).sort()
}

t.test('operations cost as many points as the page of the API says', async (t) => {
  const [, section = ''] = page('api.md').split('\n## Rate limits\n')
  const [limits = ''] = section.split('\n## ')
  const rows = [...limits.matchAll(/^\| (\d+) +\| (.*) \|$/gm)]
  const documented = new Map<number, string[]>()
  for (const [, points, operations = ''] of rows) {
    const names = [...(documented.get(Number(points)) ?? []), ...namesIn(operations)]
    documented.set(Number(points), names.sort())
  }
  t.strictSame([...documented.keys()], [0, 1, 5, 10, 20])
  for (const [points, operations] of documented) {
    if (points <= 1) continue
    t.strictSame(which(({ cost }) => cost === points).filter(isOperation), operations, `${points} points`)
  }
  t.strictSame(
    which(({ cost = 1 }) => ![0, 1, 5, 10, 20].includes(cost)),
    [],
    'and none costs another number',
  )
})

t.test(
  'outside the document the sign-in of the panel costs as much as any, and Centrifugo nothing',
  async (t) => {
    const hidden = [...configs].filter(([name, { cost = 1 }]) => !isOperation(name) && cost !== 1)
    const costs = hidden.map(([name, { cost }]) => `${name} ${cost}`).sort()
    t.ok(costs.includes('POST /admin/session 20'))
    t.strictSame(
      costs.filter((line) => !line.includes(' /realtime/centrifugo/')),
      ['POST /admin/session 20'],
    )
  },
)

t.test('the lists that are read from replicas are those of the page', async (t) => {
  const [, sentence = ''] = /\n\n(.*) are read from replicas;/.exec(page('operations/replicas.md')) ?? []
  t.strictSame(
    which(({ replica }) => replica === true),
    namesIn(sentence),
  )
})

t.test('answers that hold a secret are kept encrypted for who repeats a request', async (t) => {
  t.strictSame(
    which(({ idempotent }) => idempotent === 'secret'),
    ['createApiKey', 'rotateApiKey', 'rotateWebhookSecret'],
  )
})

t.test('probes are answered under pressure and not counted, and one answer is a stream', async (t) => {
  t.strictSame(
    which(({ probe }) => probe === true),
    ['getHealth', 'getLiveness', 'getMetrics', 'getReadiness'],
  )
  t.strictSame(
    which(({ isStream }) => isStream === true),
    ['streamRealtimeEvents'],
  )
})
