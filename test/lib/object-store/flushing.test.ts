import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Flushing } from '#lib/object-store/flushing.ts'

const MIB = 1024 * 1024

t.test('the disk is asked for each 64 MiB, once at a time, and for the rest', async (t) => {
  const file = await open(join(t.testdir(), 'file'), 'w')
  t.teardown(() => file.close())
  const asked = t.capture(file, 'datasync', file.datasync)
  const flushing = new Flushing(file)
  flushing.reach(63 * MIB)
  t.equal(asked().length, 0)
  flushing.reach(64 * MIB)
  flushing.reach(200 * MIB)
  t.equal(asked().length, 1, 'it is at work')
  await flushing.finish()
  t.equal(asked().length, 1)
  flushing.reach(200 * MIB)
  await flushing.finish()
  t.equal(asked().length, 2, 'what had come meanwhile')
})

t.test('bytes that the disk did not take are not a content', async (t) => {
  const file = await open(join(t.testdir(), 'file'), 'w')
  t.teardown(() => file.close())
  let calls = 0
  t.intercept(file, 'datasync', {
    value: async () => {
      if (++calls === 1) throw new Error('input/output error')
    },
  })
  const flushing = new Flushing(file)
  flushing.reach(64 * MIB)
  await sleep(0)
  flushing.reach(200 * MIB)
  await t.rejects(flushing.finish(), { message: 'input/output error' })
  t.equal(calls, 1, 'the system says it once, and then forgets')
})
