import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'

/** Lists that the code sorts, not the database, and the names of their rows. */
const LISTS = {
  'mail-templates': 'template',
  queues: 'name',
  schedules: 'queue',
  settings: 'key',
} as const

t.test('lists that the code sorts have every row once, in order, whatever the size of a page', async (t) => {
  const { request, signUp } = await borrowTestApp(t)
  const as = await signUp({ role: 'admin' })
  for (const [list, name] of Object.entries(LISTS)) {
    const walk = async (limit: number) => {
      const names: string[] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const after: string = cursor === '' ? '' : `&cursor=${cursor}`
        const response = await request({ url: `/api/v1/operations/${list}?limit=${limit}${after}`, as })
        t.equal(response.statusCode, 200, response.body)
        const page: { data: Record<string, string>[]; next_cursor: string | null } = response.json()
        t.ok(page.data.length <= limit && (page.next_cursor === null || page.data.length === limit))
        names.push(...page.data.map((row) => String(row[name])))
        cursor = page.next_cursor
      }
      return names
    }
    const all = await walk(100)
    t.ok(all.length > 3, list)
    t.equal(new Set(all).size, all.length, list)
    // Settings come in the order of the documentation.
    if (list !== 'settings') t.strictSame(all, all.toSorted(), list)
    t.strictSame(await walk(3), all, list)
  }
})
