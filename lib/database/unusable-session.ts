interface UnusableSessionOptions extends ErrorOptions {
  readonly reason?: string
}

/** A session that does not mean by our bytes what we mean, or that cannot do what we need. */
export class UnusableSession extends Error {
  override name = 'UnusableSession'
  /** The same in a few words that everybody may read. */
  readonly reason: string

  /** @param message for operators: the reason, and what to do */
  constructor(
    message: string,
    {
      reason = 'the database is not set up as the service needs it',
      ...options
    }: UnusableSessionOptions = {},
  ) {
    super(message, options)
    this.reason = reason
  }
}
