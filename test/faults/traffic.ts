import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '#test/support/eventually.ts'
import { type Answer, call, type RemoteUser } from '#test/support/http.ts'
import { BROKEN } from './load-balancer.ts'

/** A request and what was expected of it. */
interface Kind {
  readonly name: string
  readonly status: number
  readonly send: (url: string, user: RemoteUser, agent: Agent) => Promise<Answer>
}

/** More than a socket takes at once, so that its end comes after the answer to its beginning. */
const LARGE = { username: 'x'.repeat(200_000) }

/** Those that a proxy may send again to another instance when a connection breaks. */
const READS = new Set(['read', 'err'])

/** Acts of clients: read, write, err, and send bodies that are refused before they have arrived. */
const KINDS: readonly Kind[] = [
  {
    name: 'read',
    status: 200,
    send: (url, { token }, agent) => call(`${url}/api/v1/users/me`, { token, agent }),
  },
  {
    name: 'write',
    status: 200,
    send: (url, { token, username }, agent) =>
      call(`${url}/api/v1/users/me`, { method: 'PATCH', json: { username }, token, agent }),
  },
  {
    name: 'err',
    status: 404,
    send: (url, _user, agent) => call(`${url}/nothing`, { agent }),
  },
  {
    name: 'send a large body without a token',
    status: 401,
    send: (url, _user, agent) => call(`${url}/api/v1/users/me`, { method: 'PATCH', json: LARGE, agent }),
  },
]

export interface Traffic {
  /** Requests that were answered as expected so far. */
  answered(): number
  /** All others so far, each in words. */
  failures(): string[]
  /** Waits until so many more requests have been answered as expected. */
  goesOn(requests: number): Promise<void>
  /** Sends nothing more, and waits for what is under way. */
  stop(): Promise<void>
}

/** Milliseconds between the requests of one client, so that a small machine has time for its processes. */
const PAUSE = 5

/** Begins to send requests of all kinds, or only those that read, by clients that keep their connections. */
export function startTraffic(url: string, user: RemoteUser, { clients = 8, writes = true } = {}): Traffic {
  const kinds = KINDS.filter(({ name }) => writes || READS.has(name))
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const failures: string[] = []
  let answered = 0
  let going = true

  async function attempt({ name, status, send }: Kind): Promise<void> {
    try {
      const answer = await send(url, user, agent)
      if (answer.status === status) answered++
      else failures.push(`${name}: ${answer.status} ${answer.headers[BROKEN] ?? answer.text}`)
    } catch (error) {
      failures.push(`${name}: ${error}`)
    }
  }
  async function run(first: number): Promise<void> {
    for (let n = first; going; n++) {
      const kind = kinds[n % kinds.length]
      if (kind) await attempt(kind)
      await sleep(PAUSE)
    }
  }
  const running = Promise.all(Array.from({ length: clients }, (_, n) => run(n)))
  return {
    answered: () => answered,
    failures: () => failures,
    async goesOn(requests) {
      const goal = answered + requests
      await eventually(async () => answered >= goal)
    },
    async stop() {
      going = false
      await running
      agent.destroy()
    },
  }
}
