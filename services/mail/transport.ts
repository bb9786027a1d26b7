/** A finished mail. */
export interface Mail {
  /** Source of `Message-ID`: the same mail always has the same one. */
  readonly id: string
  /** When it was written; its `Date`. */
  readonly date: Date
  /** The address alone. */
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** A way for mail to leave. */
export interface MailTransport {
  /**
   * Hands a mail over to the server that is responsible for it from then on.
   *
   * @throws PermanentFailure when that is refused for good; any other error may pass
   */
  send(mail: Mail): Promise<void>
  /** Ends connections that are kept open. */
  close(): void
}
