import type { InjectOptions } from 'fastify'

/** A request as it is sent, in parts that can be broken one by one. */
export interface DraftRequest {
  method: string
  /** With `{name}` for path parameters. */
  path: string
  params: Record<string, string>
  query: [name: string, value: string][]
  headers: Record<string, string>
  /** Sent as JSON; undefined for none. */
  body: unknown
  /** Sent in place of the body, as it is. */
  text?: string
  /** Put at the end of the URL, as it is. */
  suffix?: string
}

/** Whose access token a request carries. */
export type Signer = 'nobody' | 'user' | 'admin'

export function urlOf({ path, params, query, suffix = '' }: DraftRequest): string {
  const filled = path.replace(/\{(\w+)\}/g, (_all, name: string) => encode(params[name] ?? ''))
  const pairs = query.map(([name, value]) => `${encode(name)}=${encode(value)}`)
  return filled + (pairs.length > 0 ? `?${pairs.join('&')}` : '') + suffix
}

export function bodyOf({ body, text }: DraftRequest): string | undefined {
  return text ?? (body === undefined ? undefined : JSON.stringify(body))
}

export function injectOptions(draft: DraftRequest, authorization: string | undefined): InjectOptions {
  const payload = bodyOf(draft)
  const { method } = draft
  if (!isMethod(method)) throw new TypeError(`${method} is not a method`)
  return {
    method,
    url: urlOf(draft),
    headers: { ...(authorization === undefined ? {} : { authorization }), ...draft.headers },
    ...(payload === undefined ? {} : { payload }),
  }
}

/** The request as a command for a shell; `$URL`, `$USER_TOKEN` and `$ADMIN_TOKEN` are to be set by its user. */
export function curl(draft: DraftRequest, as: Signer): string {
  const headers = Object.entries(draft.headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`)
  const isSigned = as !== 'nobody' && draft.headers['authorization'] === undefined
  const payload = bodyOf(draft)
  return [
    `curl -i -X ${draft.method} "$URL"${quote(urlOf(draft))}`,
    ...(isSigned ? [`-H "authorization: Bearer $${as.toUpperCase()}_TOKEN"`] : []),
    ...headers,
    ...(payload === undefined ? [] : [`--data-binary ${quote(payload)}`]),
  ].join(' ')
}

/** As a word of bash: what is not printable ASCII is spelt by its bytes. */
function quote(text: string): string {
  if (/^[ -~]*$/.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`
  const bytes = [...Buffer.from(text)].map((byte) => {
    if (byte === 0x27 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`
    return byte >= 0x20 && byte < 0x7f
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`
  })
  return `$'${bytes.join('')}'`
}

/** Lone surrogates have no percent-encoding. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const

function isMethod(method: string): method is (typeof METHODS)[number] {
  return METHODS.some((known) => known === method)
}
