import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'

/** Stands between the service and PostgreSQL, to take the network away. */
export interface TcpProxy {
  /** The database's URL, by way of the proxy. */
  readonly url: string
  /** Breaks every connection and refuses new ones, as a server that is gone does. */
  cut(): Promise<void>
  /** Forwards nothing more, without closing anything: a server, or a network, that hangs. */
  hang(): void
  /** As `hang`, for new connections only. */
  hangNew(): void
  /** Forwards what the service says, and swallows the answers: packets that vanish on one way. */
  swallow(): void
  /** Holds every chunk back for so many milliseconds, each way; 0 for no longer. */
  delay(milliseconds: number): void
  /**
   * Lets the server have the next COMMITs, and breaks each connection once the server has answered, without
   * the answer: it is done, and nobody knows. The first of them may be spared.
   */
  loseCommits(count: number, spared?: number): void
  /** Breaks the connection that sends the n-th message from now on, before the server has it. */
  breakAt(n: number): void
  /** Hangs from the n-th message on. */
  hangAt(n: number): void
  readonly isHanging: boolean
  /** How many answers were lost so far, each with its connection. */
  readonly lostAnswers: number
  /** All is well again, for new connections; those that hung are broken. */
  restore(): Promise<void>
  /**
   * Keeps back what the server answers to the next message that holds `text`, and all after it on that
   * connection; resolves when the answer has come, so the server has done what it was asked for.
   */
  withholdAnswer(text: string): Promise<void>
  /** New connections go to the server at this URL. */
  retarget(url: string): void
}

/** Fate of a message of the service: with `lose answer` the server gets it, and its answer is lost. */
type Verdict = 'pass' | 'break' | 'lose answer' | 'hang'
type Judge = (chunk: Buffer) => Verdict

/** The message Query with COMMIT in it. https://www.postgresql.org/docs/18/protocol-message-formats.html */
const COMMIT = Buffer.from('Q\0\0\0\x0bCOMMIT\0')

/**
 * Starts a proxy before the database at `url`; with `open: false` it refuses connections at first.
 * With `pools` it calls itself by a number of its own, as PgBouncer does.
 */
export async function startProxy(
  t: Test,
  url: string,
  { open = true, pools = false } = {},
): Promise<TcpProxy> {
  let target = new URL(url)
  const sockets = new Set<Socket>()
  let hanging = false
  let withheld: { text: string; answered: () => void } | undefined
  let swallowing = false
  let pause = 0
  let lostAnswers = 0
  let judge: Judge = () => 'pass'

  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
  }
  const server = createServer((client) => {
    keep(client)
    // It is connected, and gets no answer; the server need not even be there.
    if (hanging) return
    const upstream = connect(Number(target.port), target.hostname)
    keep(upstream)
    const toServer = inOrder()
    const toClient = inOrder()
    let losesAnswer = false
    let answered: (() => void) | undefined
    client.on('data', (chunk) => {
      if (withheld && chunk.includes(withheld.text)) {
        answered = withheld.answered
        withheld = undefined
      }
      const verdict = judge(chunk)
      losesAnswer ||= verdict === 'lose answer'
      if (verdict === 'hang') hang()
      if (verdict === 'break') client.destroy()
      else toServer(() => upstream.write(chunk))
    })
    upstream.on('data', (chunk) => {
      if (answered) answered()
      else if (losesAnswer) {
        lostAnswers++
        client.destroy()
      } else if (!swallowing) {
        toClient(() => client.write(pools ? asPooler(chunk) : chunk))
      }
    })
    client.on('close', () => upstream.destroy())
    // What the server has said before its end still has to arrive.
    upstream.on('close', () => toClient(() => client.destroySoon()))
  })
  // One way of one connection. What is written after the pause became shorter must not overtake what still waits.
  const inOrder = () => {
    let last: Promise<unknown> = Promise.resolve()
    return (write: () => void) => {
      const due = pause > 0 ? sleep(pause) : undefined
      last = last.then(() => due).then(write)
    }
  }
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const hang = () => {
    hanging = true
    for (const socket of sockets) socket.pause()
  }
  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  async function cut(): Promise<void> {
    if (server.listening) {
      server.close()
      breakAll()
      await once(server, 'close')
    }
  }

  const port = await freePort()
  await listen(port)
  const proxied = new URL(url)
  proxied.host = `127.0.0.1:${port}`
  if (!open) await cut()
  t.teardown(cut)
  return {
    url: proxied.href,
    cut,
    hang,
    breakAt(n) {
      judge = atMessage(n, 'break')
    },
    hangAt(n) {
      judge = atMessage(n, 'hang')
    },
    get isHanging() {
      return hanging
    },
    hangNew() {
      hanging = true
    },
    swallow() {
      swallowing = true
    },
    delay(milliseconds) {
      pause = milliseconds
    },
    loseCommits(count, spared = 0) {
      let seen = 0
      judge = (chunk) => {
        if (!chunk.includes(COMMIT)) return 'pass'
        seen++
        return seen > spared && seen <= spared + count ? 'lose answer' : 'pass'
      }
    },
    get lostAnswers() {
      return lostAnswers
    },
    async restore() {
      hanging = false
      swallowing = false
      breakAll()
      if (!server.listening) await listen(port)
    },
    withholdAnswer(text) {
      return new Promise((resolve) => {
        withheld = { text, answered: resolve }
      })
    },
    retarget(next) {
      target = new URL(next)
    },
  }
}

/** Changes the number of the server's process in BackendKeyData, where that message is. */
function asPooler(chunk: Buffer): Buffer {
  const at = chunk.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]))
  if (at >= 0) chunk.writeInt32BE(1, at + 5)
  return chunk
}

function atMessage(n: number, verdict: Verdict): Judge {
  let seen = 0
  return () => (++seen === n ? verdict : 'pass')
}
