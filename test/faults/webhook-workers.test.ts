import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Webhook as Verifier } from 'standardwebhooks'
import t from 'tap'
import { eventually } from '#test/support/eventually.ts'
import { createTestApp } from '#test/support/helper.ts'
import { startReceiver } from '#test/support/http-receiver.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { startWorker } from './worker.ts'

// Deliveries of a killed worker are given to another when they have shown no sign of life for ten seconds.
t.setTimeout(900_000)

const EVENTS = 60
const KILLS = 8

t.test(
  'workers that are killed while they deliver lose no message, and repeat none as another',
  async (t) => {
    const receiver = await startReceiver(t)
    const { app, db, request } = await createTestApp(t, { APP_ROLE: 'web' })
    const tenant = await createOrganization(app)
    const payload = { url: receiver.url, event_types: ['projects.*'] }
    const url = `${tenant.url}/webhooks`
    const made = (await request({ method: 'POST', url, payload, as: tenant.owner })).json()
    const { secret } = (await request({ url: `${url}/${made.id}/secret`, as: tenant.owner })).json()
    for (let n = 0; n < EVENTS; n++) await tenant.createProject(`Project ${n}`)

    let worker: ChildProcess | undefined
    let kills = 0
    receiver.answer((response) => {
      const isNext = kills < KILLS && worker?.exitCode === null && !worker.killed && Math.random() < 0.3
      // Now before it has the answer, now when it has, but may not have noted it.
      const isBefore = kills % 2 === 0
      const kill = () => {
        kills++
        worker?.kill('SIGKILL')
      }
      if (isNext && isBefore) kill()
      response.writeHead(204).end(isNext && !isBefore ? kill : undefined)
    })
    let done = false
    const keepRunning = (async () => {
      while (!done) {
        worker = startWorker(t, { APP_DATABASE__URL: db.url })
        await once(worker, 'exit')
      }
    })()
    const states = () =>
      db.query<{ state: string; messages: number }>(
        'SELECT state, count(*)::int AS messages FROM webhook_deliveries GROUP BY 1',
      )
    const delivered = [{ state: 'delivered', messages: EVENTS }]
    await eventually(async () => JSON.stringify(await states()) === JSON.stringify(delivered), 600)
    done = true
    worker?.kill('SIGKILL')
    await keepRunning

    t.equal(kills, KILLS, 'workers were killed while they sent')
    t.comment(`${receiver.received.length - EVENTS} messages came twice`)
    const verifier = new Verifier(secret)
    const known = new Map<unknown, string>()
    for (const { headers, body } of receiver.received) {
      verifier.verify(
        body,
        Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      )
      const before = known.get(headers['webhook-id'])
      t.ok(before === undefined || before === body, 'what comes twice is the same')
      known.set(headers['webhook-id'], body)
    }
    const rows = await db.query<{ id: string }>(
      "SELECT id FROM events WHERE type = 'projects.created' ORDER BY id",
    )
    t.strictSame(
      [...known.keys()].sort(),
      rows.map(({ id }) => id),
    )
  },
)
