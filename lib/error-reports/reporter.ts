import http from 'node:http'
import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorReport, envelope, type Release } from './event.ts'

/** Outcome of a report: sent, refused or unanswered (failed), or not tried because there were too many. */
export type ReportOutcome = 'sent' | 'failed' | 'dropped'

export interface ReporterOptions extends Release {
  /** `https://key@host/project`, or `https://key:secret@host/project`. */
  readonly dsn: string
  /** Masks secrets in a text of JSON. */
  readonly redact: (json: string) => string
  readonly finished: (outcome: ReportOutcome) => void
}

/** Reports that wait. */
const MAX_QUEUED = 50
/** Milliseconds in which a kind of error is reported once. */
const REPEAT_INTERVAL_MS = 60_000
/** Reports in such a time, of all kinds. */
const MAX_REPORTS = 60
/** Milliseconds that the receiver has to answer. */
const SEND_TIMEOUT_MS = 5000
/** Milliseconds that a receiver which says 429 is left alone for, unless it says for how long. */
const PAUSE_MS = 60_000

/**
 * Sends errors by Sentry's protocol, one after the other and never in anybody's way: what is too much, and what
 * comes while the receiver is away, is dropped and counted.
 */
export class Reporter {
  readonly #options: ReporterOptions
  readonly #url: URL
  readonly #key: string
  #queue: ErrorReport[] = []
  #sending: Promise<void> | undefined
  /** Kinds reported since the current minute began. */
  #reported = new Map<string, number>()
  #minuteBegan = Number.NEGATIVE_INFINITY
  #pausedUntil = 0

  constructor(options: ReporterOptions) {
    const dsn = new URL(options.dsn)
    const place = dsn.pathname.replace(/\/+$/, '')
    const at = place.lastIndexOf('/')
    const path = `${place.slice(0, at)}/api/${place.slice(at + 1)}/envelope/`
    this.#url = new URL(path, dsn.origin)
    // Servers older than Sentry 9 want the secret that stands in their DSNs.
    this.#key = `${dsn.username}${dsn.password === '' ? '' : `, sentry_secret=${dsn.password}`}`
    this.#options = options
  }

  /** Takes a report, unless its like was sent a moment ago or there are too many. */
  report(report: ErrorReport): void {
    if (!this.#admits(report)) {
      this.#options.finished('dropped')
      return
    }
    this.#queue.push(report)
    this.#sending ??= this.#sendAll()
  }

  /** Waits until everything is sent, but no longer than `timeout` milliseconds. */
  async flush(timeout: number): Promise<void> {
    await Promise.race([this.#sending, sleep(timeout, undefined, { ref: false })])
  }

  /** An error that ends the process always has a place. */
  #admits({ fingerprint, level }: ErrorReport): boolean {
    const now = performance.now()
    if (now - this.#minuteBegan > REPEAT_INTERVAL_MS) {
      this.#minuteBegan = now
      this.#reported = new Map()
    }
    if (level === 'fatal') return true
    if (now < this.#pausedUntil || this.#queue.length >= MAX_QUEUED) return false
    if (this.#reported.has(fingerprint) || this.#reported.size >= MAX_REPORTS) return false
    this.#reported.set(fingerprint, now)
    return true
  }

  async #sendAll(): Promise<void> {
    for (let report = this.#queue.shift(); report; report = this.#queue.shift()) {
      const isSent = await this.#send(report).catch(() => false)
      this.#options.finished(isSent ? 'sent' : 'failed')
    }
    this.#sending = undefined
  }

  /** By node:http: `fetch` would create spans, and this request is not part of any trace. */
  #send(report: ErrorReport): Promise<boolean> {
    const { version, redact } = this.#options
    const body = envelope(report, this.#options, redact)
    const headers = {
      'content-type': 'application/x-sentry-envelope',
      'content-length': Buffer.byteLength(body),
      'user-agent': `groundwork/${version}`,
      'x-sentry-auth': `Sentry sentry_version=7, sentry_client=groundwork/${version}, sentry_key=${this.#key}`,
    }
    const { request } = this.#url.protocol === 'https:' ? https : http
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(SEND_TIMEOUT_MS)
      const call = request(this.#url, { method: 'POST', headers, signal }, (answer) => {
        answer.resume()
        answer.on('error', reject)
        if (answer.statusCode === 429) this.#pause(Number(answer.headers['retry-after']))
        answer.on('end', () => resolve(answer.statusCode === 200))
      })
      call.on('error', reject)
      call.end(body)
    })
  }

  #pause(seconds: number): void {
    this.#pausedUntil = performance.now() + (seconds > 0 ? seconds * 1000 : PAUSE_MS)
  }
}
