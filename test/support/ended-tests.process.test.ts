import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

let held: WeakRef<object> | undefined

t.test('a test that has others', async (t) => {
  const application = { name: 'large' }
  held = new WeakRef(application)
  await t.test('one of them', async (t) => t.ok(application))
})

t.test('what an ended test used is not kept (test/plain-processes.ts)', async (t) => {
  // A reference that was just made, or looked at, is kept until the event loop turns.
  await sleep(0)
  collect()
  t.equal(held?.deref(), undefined)
})
