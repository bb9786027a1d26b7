/** A host and a port to listen on. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/**
 * Takes `127.0.0.1:9090` or `[::1]:9090` apart.
 *
 * @throws TypeError for anything else
 */
export function splitListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port) > 65_535) throw new TypeError(`'${text}' is not a host and a port`)
  return { host, port: Number(port) }
}

/** Whether a text is such an address. */
export function isListenAddress(text: string): boolean {
  try {
    return splitListenAddress(text).host !== ''
  } catch {
    return false
  }
}
