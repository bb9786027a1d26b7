import t from 'tap'
import { Slot } from '#process/primary/slot.ts'
import type { End } from '#process/primary/worker-process.ts'

/** A worker without a process: it ends when it is told to, or when the test says so. */
class Member {
  readonly #ended = Promise.withResolvers<End>()
  readonly told: string[] = []

  get ended(): Promise<End> {
    return this.#ended.promise
  }

  end(code: number): void {
    this.#ended.resolve({ code, signal: null })
  }

  stop(signal: string): void {
    this.told.push(signal)
  }

  retire(): void {
    this.told.push('retire')
  }
}

/** A slot, its workers, and the delays with which it wanted others; `wanted` says whether it gets them. */
function start(wanted: (delays: readonly number[]) => boolean) {
  const members: Member[] = []
  const delays: number[] = []
  const slot = new Slot<Member>({
    fork() {
      const member = new Member()
      members.push(member)
      return member
    },
    lost(_slot, _end, delay) {
      delays.push(delay)
      return wanted(delays)
    },
  })
  return { slot, members, delays, last: () => members[members.length - 1] }
}

t.test('workers that die in a row are replaced ever later, until none is wanted', async (t) => {
  const { slot, members, delays, last } = start((all) => all.length < 2)
  last()?.end(1)
  await t.resolves(new Promise((resolve) => setImmediate(resolve)))
  t.strictSame([members.length, delays], [1, [500]], 'not at once')
  while (members.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
  t.equal(slot.member, last())
  last()?.end(1)
  t.equal(await slot.done, false)
  t.strictSame([members.length, delays], [2, [500, 1000]])
})

t.test('one that ended well and is not replaced has ended well', async (t) => {
  const { slot, last } = start(() => false)
  last()?.end(0)
  t.equal(await slot.done, true)
})

t.test('one that was told to end is not missed', async (t) => {
  for (const [code, isWell] of [
    [0, true],
    [1, false],
  ] as const) {
    const stopped = start(() => true)
    stopped.slot.stop('SIGTERM')
    const retired = start(() => true)
    retired.slot.retire()
    for (const { slot, members, delays, last } of [stopped, retired]) {
      last()?.end(code)
      t.equal(await slot.done, isWell)
      t.strictSame([members.length, delays], [1, []])
    }
    t.strictSame([stopped.last()?.told, retired.last()?.told], [['SIGTERM'], ['retire']])
  }
})

t.test('a slot that is told to end between two workers waits no longer', async (t) => {
  const { slot, members, delays, last } = start(() => true)
  last()?.end(1)
  while (delays.length === 0) await new Promise((resolve) => setImmediate(resolve))
  slot.stop('SIGTERM')
  t.equal(await slot.done, true)
  t.equal(members.length, 1)
})
