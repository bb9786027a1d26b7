import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'
import { readRules } from './monitoring.ts'

t.test(
  'what is slow on purpose, or as fast as the client, does not count against the objective',
  async (t) => {
    const { app } = await borrowTestApp(t, { APP_ROLE: 'web' })
    const { expr = '' } =
      readRules().find(({ record }) => record === 'instance:http_requests_timed:sum') ?? {}
    const leftOut = new Set(/operation!~"([\w|]+)"/.exec(expr)?.[1]?.split('|'))
    // They hash a password only to change an address.
    const seldom = new Set(['updateCurrentUser', 'updateUser'])
    const found = apartOf(app.swagger()).filter((id) => !seldom.has(id))
    t.ok(found.length > 15)
    t.strictSame(
      found.filter((id) => !leftOut.has(id)),
      [],
    )
  },
)

/** Operations that may hash a password, or whose body or answer is other than JSON. */
function apartOf(document: object): string[] {
  const { paths, components }: Document = JSON.parse(JSON.stringify(document))
  return Object.values(paths)
    .flatMap((path) => Object.values(path))
    .filter(({ requestBody, responses }) => {
      const answers = Object.values(responses).map(
        ({ $ref = '', ...own }) => components.responses[$ref.split('/').at(-1) ?? ''] ?? own,
      )
      const hashes = JSON.stringify(answers).includes('password_queue_full')
      return (
        hashes || [requestBody, ...answers].some((part) => Object.keys(part?.content ?? {}).some(isOther))
      )
    })
    .map(({ operationId }) => operationId)
}

const isOther = (type: string) => type !== 'application/json' && type !== 'application/problem+json'

/** The parts of the API's document that `apartOf` reads. */
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { responses: Record<string, Body> }
}

interface Body {
  content?: Record<string, unknown>
}

interface Operation {
  operationId: string
  requestBody?: Body
  responses: Record<string, Body & { $ref?: string }>
}
