/** A part of a mail, in plain words: the layouts do the markup and the escaping. */
export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'button'; readonly label: string; readonly url: string }
  | { readonly kind: 'step'; readonly question: string; readonly label: string; readonly url: string }
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [label: string, value: string])[] }
  | { readonly kind: 'note'; readonly text: string }

/** Content of a mail; text and HTML are made of it. */
export interface MailContent {
  readonly subject: string
  readonly title: string
  readonly blocks: readonly Block[]
}

/** A link that works once. */
export interface MailLink {
  readonly url: string
  readonly expiresAt: Date
}

export function paragraph(text: string): Block {
  return { kind: 'paragraph', text }
}

export function button(label: string, url: string): Block {
  return { kind: 'button', label, url }
}

/** A next step for a question, where there is a page for it. */
export function step(question: string, label: string, url: string | undefined): Block[] {
  return url === undefined ? [] : [{ kind: 'step', question, label, url }]
}

/** A small table. */
export function facts(...rows: (readonly [label: string, value: string])[]): Block {
  return { kind: 'facts', rows }
}

/** Small print. */
export function note(text: string): Block {
  return { kind: 'note', text }
}

const TIME_FORMAT = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
})

/** A time for people: `14 March 2026 at 09:05 UTC`. */
export function readableTime(time: Date): string {
  return `${TIME_FORMAT.format(time)} UTC`
}

/** The note under a link. */
export function expiry({ expiresAt }: MailLink): Block {
  return note(`The link works once, until ${readableTime(expiresAt)}.`)
}
