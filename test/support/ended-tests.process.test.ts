import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { eventually } from './eventually.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

let held: WeakRef<object> | undefined

t.test('a test that has others', async (t) => {
  const application = { name: 'large' }
  held = new WeakRef(application)
  await t.test('one of them', async (t) => t.ok(application))
})

t.test('what an ended test used is not kept (test/plain-processes.ts)', async (t) => {
  // Not at once: what is being reported is kept until that is done, and a reference until the event loop turns.
  await eventually(async () => {
    collect()
    return held?.deref() === undefined
  }, 10)
  t.pass('it is gone')
})
