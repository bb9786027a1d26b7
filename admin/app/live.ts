import { accessToken, isIdle } from './session.ts'

const EVENTS = '../realtime/events'
/** Milliseconds before the next attempt, after a stream that has told something and after one that has not. */
const RETURN_MS = 1000
const RETRY_MS = 30_000
/** Milliseconds without a message after which an open stream does not count: nobody may be left to tell. */
const SILENCE_MS = 15_000

/** Who is told what comes on a channel, and whether anything can come now. */
interface Ear<T> {
  hear(data: T): void
  connected(isConnected: boolean): void
}

/**
 * Listens to a channel until the signal is aborted, and comes back when the stream ends. Where nothing is told live, as with
 * another engine or behind a proxy that keeps streams, the ear is never connected.
 */
export async function listen<T>(channel: string, ear: Ear<T>, signal: AbortSignal): Promise<void> {
  let silence: ReturnType<typeof setTimeout> | undefined
  while (!signal.aborted) {
    let hasTold = false
    // A stream must not keep a session open that nobody uses.
    if (!document.hidden && !isIdle()) {
      const told = (data: T) => {
        hasTold = true
        clearTimeout(silence)
        silence = setTimeout(() => ear.connected(false), SILENCE_MS)
        ear.connected(true)
        ear.hear(data)
      }
      await follow(channel, told, signal).catch(() => undefined)
    }
    clearTimeout(silence)
    ear.connected(false)
    await pause(hasTold ? RETURN_MS : RETRY_MS, signal)
  }
}

async function follow<T>(channel: string, told: (data: T) => void, signal: AbortSignal): Promise<void> {
  const token = await accessToken()
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${EVENTS}?${new URLSearchParams({ channels: channel })}`, { headers, signal })
  if (!response.ok || response.body === null) {
    await response.body?.cancel()
    return
  }
  let rest = ''
  for await (const text of textsOf(response.body)) {
    const events = (rest + text).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      // The event without a name is a message; its id and the others are for those who want to know what they missed.
      const [, line] = /^data: (\{"channel".*)$/m.exec(event) ?? []
      if (line !== undefined) told(JSON.parse(line).data.data)
    }
  }
}

async function* textsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel()
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    resolve()
  })
  return promise
}
