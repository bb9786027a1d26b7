import addressparser from 'nodemailer/lib/addressparser'

/** Who mail comes from: a name, which may be empty, and an address. */
export interface Sender {
  readonly name: string
  readonly address: string
}

/** Reads one mailbox of RFC 5322, with a name or without, which may be quoted: `"Doe, Inc." <a@example.com>`. */
export function parseSender(text: string): Sender {
  const [found] = addressparser(text, { flatten: true })
  return { name: found?.name ?? '', address: found?.address ?? text }
}
