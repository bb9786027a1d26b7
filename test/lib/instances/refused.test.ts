import t from 'tap'
import { DatabaseUnavailable } from '#lib/database/errors.ts'
import { Instances } from '#lib/instances/instances.ts'

t.test('instances that cannot be counted are said once, and not while the database is away', async (t) => {
  const lines: unknown[][] = []
  const log = {
    info: () => undefined,
    error: () => undefined,
    warn: (...line: unknown[]) => lines.push(line),
  }
  const asked: (string | undefined)[] = []
  const started = async (error: Error) => {
    const db = {
      query: async ({ name }: { name?: string }): Promise<never> => {
        asked.push(name)
        throw error
      },
      transaction: async (): Promise<never> => {
        throw error
      },
    }
    const instances = new Instances(db, { version: '1.2.3', answerTimeout: 1000 }, log)
    await instances.start()
    t.equal(instances.known, 1, 'this one is there')
    await instances.close()
  }
  await started(new DatabaseUnavailable({ retryAfter: 1 }))
  t.strictSame(lines, [])
  const refused = new Error('permission denied')
  await started(refused)
  t.strictSame(lines, [[{ err: refused }, 'instances cannot be counted']])
  t.strictSame(asked, Array(2).fill(['recordInstance', 'deleteInstance']).flat(), 'and its end is told')
})
