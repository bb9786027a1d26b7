import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { amount } from '#test/support/amount.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import { signUpRemote } from '#test/support/http.ts'
import { startService, type TestService } from '#test/support/process.ts'
import { isConsistent } from './consistent.ts'
import { startLoadBalancer } from './load-balancer.ts'
import { STORES, settingsOf } from './stores.ts'
import { type Sending, UploadClient } from './upload-client.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(7_200_000)

const ROUNDS = amount({ few: 3, many: 200, variable: 'FAULT_ROUNDS' })
const RESTARTS = amount({ few: 2, many: 20, variable: 'FAULT_ROUNDS' })

/** Uploads at once. */
const AT_ONCE = 3

/** Bytes of an upload, and those that are sent each 20 ms: in a bucket, nothing counts before a part of 8 MiB is whole. */
const SIZES: Readonly<Record<string, { size: number; slice: number }>> = {
  local: { size: 3_000_000, slice: 20_000 },
  s3: { size: 20_000_000, slice: 100_000 },
}

/** Checks that a service has what was acknowledged, and returns where the upload goes on. */
async function keeps(t: Test, client: UploadClient, sending: Sending): Promise<number> {
  const offset = (await client.head(sending)) ?? -1
  t.ok(offset >= sending.acknowledged, `${offset} of ${sending.acknowledged} acknowledged bytes`)
  if (offset === sending.bytes.length) t.ok(await client.isWhole(sending), 'the file is there')
  return offset
}

for (const { name, skip, start: startStore } of STORES) {
  const { size, slice } = SIZES[name] ?? { size: 0, slice: 0 }

  t.test(
    `killed while uploads come to ${name}: no byte is lost that was acknowledged`,
    { skip },
    async (t) => {
      const db = await createTestDatabase(t)
      const store = await startStore(t)
      const start = () => startService(t, settingsOf(db, store))
      let service: TestService = await start()
      const { token } = await signUpRemote(service.url)
      const client = new UploadClient(service.url, token, slice)
      let [finished, continued] = [0, 0]
      let sendings: Sending[] = []

      for (let round = 0; round < ROUNDS; round++) {
        while (sendings.length < AT_ONCE) sendings.push(await client.create(size))
        const broken = sendings.map(async (sending) =>
          client.send(sending, (await client.head(sending)) ?? 0),
        )
        // Some of what comes is durable by then, and the rest is anywhere.
        const isUnderWay = async () => {
          for (const sending of sendings) await client.look(sending)
          return sendings.some(({ acknowledged }) => acknowledged > 0)
        }
        await eventually(isUnderWay)
        await sleep(Math.random() * 1500)
        service.child.kill('SIGKILL')
        await service.exited
        await Promise.all(broken)
        service = await start()
        client.url = service.url
        const offsets = await Promise.all(sendings.map((sending) => keeps(t, client, sending)))
        continued += offsets.filter((offset) => offset > 0 && offset < size).length
        finished += offsets.filter((offset) => offset === size).length
        sendings = sendings.filter((_, n) => offsets[n] !== size)
      }
      for (const sending of sendings) {
        t.equal(await client.send(sending, (await client.head(sending)) ?? 0), 204)
        t.ok(await client.isWhole(sending))
      }
      t.ok(continued > 0, 'some uploads were continued')
      t.comment(`${ROUNDS} kills, ${continued} times in the middle, ${finished} uploads finished meanwhile`)
      service.child.kill('SIGKILL')
      await service.exited
      await isConsistent(t, db, store)
    },
  )

  t.test(`stopped while uploads come to ${name}: they go on at another instance`, { skip }, async (t) => {
    const db = await createTestDatabase(t)
    const env = { ...settingsOf(db, await startStore(t)), APP_SERVER__DRAIN_DELAY: '500ms' }
    const services = [await startService(t, env), await startService(t, env)]
    const balancer = await startLoadBalancer(
      t,
      services.map(({ url }) => url),
    )
    await eventually(async () => balancer.ready().length === 2)
    const { token } = await signUpRemote(balancer.url)
    const client = new UploadClient(balancer.url, token, slice)

    for (let turn = 0; turn < RESTARTS; turn++) {
      const sendings: Sending[] = []
      while (sendings.length < AT_ONCE) sendings.push(await client.create(size))
      let cut = 0
      /** As a client does that knows nothing of instances: asks, sends the rest, and again until all was taken. */
      const sendAll = async (sending: Sending) => {
        for (let status: number | undefined; status !== 204; ) {
          const offset = await client.head(sending)
          if (offset === size) return
          if (offset !== undefined) status = await client.send(sending, offset)
          if (status !== 204) cut++
        }
      }
      const all = Promise.all(sendings.map(sendAll))
      const [stopped] = services.splice(0, 1)
      if (stopped === undefined) throw new Error('there are two')
      await eventually(async () => {
        for (const sending of sendings) await client.look(sending)
        return sendings.some(({ acknowledged }) => acknowledged > 0)
      })
      stopped.child.kill('SIGTERM')
      t.same(await stopped.exited, { code: 0, signal: null }, 'it does not wait for them')
      await all
      for (const sending of sendings) t.ok(await client.isWhole(sending))
      t.comment(`${cut} requests of ${AT_ONCE} uploads were ended`)
      const errors = stopped.logs().filter(({ level }) => level === 'error' || level === 'fatal')
      t.same(errors, [], 'nobody has to look')
      balancer.remove(stopped.url)
      const next = await startService(t, env)
      services.push(next)
      balancer.add(next.url)
      await eventually(async () => balancer.ready().length === 2)
    }
  })
}
