/** Bytes of the beginning of a script in which pg_restore sets everything that it sets. */
const HEAD_BYTES = 8192

/** The first major version of a server that knows a setting, of those that pg_restore sets whatever the server is. */
const SINCE: Readonly<Record<string, number>> = { transaction_timeout: 17 }

/**
 * Leaves out of pg_restore's script the settings that an older server does not know: pg_restore of version 17 or newer
 * sets `transaction_timeout` on every server, and one before 17 refuses it.
 *
 * @param version the server's major version
 */
export async function* withoutUnknownSettings(
  script: AsyncIterable<Uint8Array>,
  version: number,
): AsyncGenerator<Uint8Array> {
  const unknown = Object.keys(SINCE).filter((name) => version < (SINCE[name] ?? 0))
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const piece of script) {
    if (head === undefined) {
      yield piece
      continue
    }
    head = Buffer.concat([head, piece])
    if (head.length < HEAD_BYTES) continue
    yield withoutSettings(head, unknown)
    head = undefined
  }
  if (head !== undefined) yield withoutSettings(head, unknown)
}

/** Only before the first object: what comes later may be data. */
function withoutSettings(head: Buffer, names: readonly string[]): Buffer {
  const text = head.toString('latin1')
  const end = text.indexOf('\n--\n-- Name:')
  const settings = end === -1 ? text : text.slice(0, end)
  const kept = names.reduce(
    (all, name) => all.replace(new RegExp(`^SET ${name} = .*;\\n`, 'm'), ''),
    settings,
  )
  return Buffer.from(kept + text.slice(settings.length), 'latin1')
}
