import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { amount } from '#test/support/amount.ts'
import { eventually } from '#test/support/eventually.ts'
import { call } from '#test/support/http.ts'
import { isConsistent } from './consistent.ts'
import { ready, startRig } from './rig.ts'
import { settingsOf } from './stores.ts'

// Many processes, on a machine that may be busy.
t.setTimeout(7_200_000)

const ROUNDS = amount({ few: 3, many: 100, variable: 'FAULT_ROUNDS' })

/** Files that are acknowledged between two crashes, and clients that send them. */
const [FILES, CLIENTS] = [50, 8]

t.test('PostgreSQL dies while files come: none is lost, and no object is without a row', async (t) => {
  const { APP_DATABASE__URL: _, ...settings } = settingsOf(
    { url: '' },
    { APP_FILES__DIRECTORY: t.testdir({}) },
  )
  const { postgres, services, urls, admin } = await startRig(t, { env: settings })
  const [url = ''] = urls
  const { token } = admin
  const acknowledged = new Map<string, string>()
  let failed = 0
  let isOver = false

  /** Sends a file in two requests, and returns its id. */
  async function inTwo(body: string): Promise<string> {
    const made = await call(`${url}/api/v1/files`, { method: 'POST', token, json: { name: 'a file' } })
    const { id } = JSON.parse(made.text)
    await sent(`${url}/api/v1/files/${id}/content`, 'PUT', body)
    return id
  }

  const inOne = async (body: string): Promise<string> =>
    JSON.parse(await sent(`${url}/api/v1/files/content?name=a`, 'POST', body)).id

  async function sent(to: string, method: string, body: string): Promise<string> {
    const response = await fetch(to, { method, headers: { authorization: `Bearer ${token}` }, body })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text
  }

  async function send(client: number): Promise<void> {
    for (let n = 0; !isOver; n++) {
      try {
        const body = `${client} ${n}`
        acknowledged.set(await (client % 2 === 0 ? inTwo(body) : inOne(body)), body)
      } catch {
        failed++
        await sleep(50)
      }
    }
  }

  const sending = Array.from({ length: CLIENTS }, (_, client) => send(client))
  for (let round = 0; round < ROUNDS; round++) {
    const before = acknowledged.size
    await eventually(async () => acknowledged.size >= before + FILES, 120)
    await postgres.crash()
    await postgres.restart()
    await ready(url)
  }
  isOver = true
  await Promise.all(sending)
  t.ok(failed > 0, 'some requests were cut')
  t.comment(`${ROUNDS} crashes, ${failed} requests cut, ${acknowledged.size} files`)
  for (const [id, body] of acknowledged)
    t.equal((await call(`${url}/api/v1/files/${id}/content`, { token })).text, body)
  for (const { child, exited } of services) {
    child.kill('SIGKILL')
    await exited
  }
  await isConsistent(t, postgres, settings)
})
