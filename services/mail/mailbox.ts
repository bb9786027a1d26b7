import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { validate as isUuid } from 'uuid'
import { isMissingFile } from '#lib/files/missing-file.ts'
import { composeMessage, type MailSender } from './compose.ts'
import type { Mail, MailTransport } from './transport.ts'

/** A mail that was kept instead of sent. */
export interface KeptMail {
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** As they would have gone over the wire. */
  readonly headers: string
  /** RFC 3339. */
  readonly sent_at: string
}

/** Older ones are dropped. */
const MAX_KEPT = 500

/**
 * Mail for developers and tests, kept as a file each, so that workers and web instances see the same. The
 * names are the mails' ids, which are UUIDv7 and so in the order of time.
 */
export class Mailbox implements MailTransport {
  readonly #directory: string
  readonly #sender: MailSender
  readonly #composer = createTransport({ streamTransport: true, buffer: true, newline: 'unix' })

  constructor({ directory, sender }: { directory: string; sender: MailSender }) {
    this.#directory = directory
    this.#sender = sender
  }

  async send(mail: Mail): Promise<void> {
    const { message } = await this.#composer.sendMail(composeMessage(mail, this.#sender))
    const [headers = ''] = message.toString().split('\n\n', 1)
    const { id, to, subject, text, html } = mail
    const kept: KeptMail = { id, to, subject, text, html, headers, sent_at: new Date().toISOString() }
    await mkdir(this.#directory, { recursive: true })
    const file = this.#file(id)
    // A concurrent reader sees the whole file or none.
    await writeFile(`${file}.part`, JSON.stringify(kept))
    await rename(`${file}.part`, file)
    for (const old of (await this.#ids()).slice(MAX_KEPT)) await rm(this.#file(old), { force: true })
  }

  /** Returns the kept mails, newest first. */
  async list({ to }: { to?: string | undefined } = {}): Promise<KeptMail[]> {
    const mails = await Promise.all((await this.#ids()).map((id) => this.find(id)))
    return mails
      .filter((mail) => mail !== null && (to === undefined || mail.to === to))
      .filter((mail) => mail !== null)
  }

  async find(id: string): Promise<KeptMail | null> {
    if (!isUuid(id)) return null
    try {
      return JSON.parse(await readFile(this.#file(id), 'utf8'))
    } catch (error) {
      if (isMissingFile(error)) return null
      throw error
    }
  }

  /** Throws away what is kept. */
  async clear(): Promise<void> {
    // Another instance may be writing to it.
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 })
  }

  close(): void {
    // Nothing is kept open.
  }

  #file(id: string): string {
    return join(this.#directory, `${id}.json`)
  }

  /** Newest first. */
  async #ids(): Promise<string[]> {
    try {
      const files = await readdir(this.#directory)
      const ids = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length))
      return ids.sort().reverse()
    } catch (error) {
      if (isMissingFile(error)) return []
      throw error
    }
  }
}
