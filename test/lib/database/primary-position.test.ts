import t from 'tap'
import { PrimaryPosition } from '#lib/database/replicas/primary-position.ts'

t.test(
  'the primary is asked once at a time, and everybody who came before a question has its answer',
  async (t) => {
    const answers: ((row: object) => void)[] = []
    const db = Object.assign(Object.create(null), {
      query: () => new Promise((resolve) => answers.push((row) => resolve([row]))),
    })
    const position = new PrimaryPosition(db)
    const turn = () => new Promise(setImmediate)
    const answer = async (lsn: string) => {
      answers.at(-1)?.({ lsn, timeline: '1', now: '2026-01-01T00:00:00.000Z' })
      await turn()
    }
    const first = position.read()
    await turn()
    const [second, third] = [position.read(), position.read()]
    await turn()
    t.equal(answers.length, 1, 'the next question waits for the answer')
    await answer('0/1')
    t.equal(answers.length, 2)
    await answer('0/2')
    t.match(await Promise.all([first, second, third]), [{ lsn: '0/1' }, { lsn: '0/2' }, { lsn: '0/2' }])
  },
)
