import { randomBytes } from 'node:crypto'
import { type Document, member, type Operation, type Schema } from './document.ts'

/**
 * Where a marker may show: a secret nowhere; what is personal in answers to those whom it concerns; a part of
 * the path in the log's `path` as well.
 */
export type Kind = 'secret' | 'personal' | 'path'

interface Canary {
  readonly kind: Kind
  /** Where it was planted. */
  readonly place: string
}

/** Markers that look like nothing that anything else would have made. */
export class Canaries {
  readonly #planted = new Map<string, Canary>()
  readonly #pattern = /cnry[0-9a-f]{16}/g

  /** Makes a marker for one place. */
  plant(kind: Kind, place: string): string {
    const marker = `cnry${randomBytes(8).toString('hex')}`
    this.#planted.set(marker, { kind, place })
    return marker
  }

  /** The places whose markers are in a text, of these kinds. */
  findIn(text: string, kinds: readonly Kind[]): string[] {
    const markers = text.match(this.#pattern) ?? []
    return [...new Set(markers)].flatMap((marker) => {
      const canary = this.#planted.get(marker)
      return canary && kinds.includes(canary.kind) ? [`${canary.kind} of ${canary.place}`] : []
    })
  }

  get size(): number {
    return this.#planted.size
  }
}

/** Headers that clients and proxies send, with a marker in each. */
export function plantedHeaders(canaries: Canaries, place: string): Record<string, string> {
  const secret = (name: string) => canaries.plant('secret', `${name} of ${place}`)
  const basic = Buffer.from(`user:${secret('basic')}`).toString('base64')
  return {
    authorization: `Bearer ${secret('authorization')}`,
    'proxy-authorization': `Basic ${basic}`,
    cookie: `session=${secret('cookie')}; theme=${secret('cookie')}`,
    'x-api-key': secret('x-api-key'),
    'x-csrf-token': secret('x-csrf-token'),
    'x-unheard-of': secret('x-unheard-of'),
    'idempotency-key': secret('idempotency-key'),
    'if-match': `"${secret('if-match')}"`,
    'if-none-match': `"${secret('if-none-match')}"`,
    referer: `https://example.com/?token=${secret('referer')}`,
    origin: `https://${secret('origin')}.example.com`,
    'x-forwarded-for': secret('x-forwarded-for'),
    'x-forwarded-host': secret('x-forwarded-host'),
    forwarded: `for=${secret('forwarded')}`,
    'accept-language': secret('accept-language'),
    // No sane token, so a new one takes its place.
    'x-request-id': `${secret('x-request-id')} and more`,
    'user-agent': canaries.plant('personal', `user-agent of ${place}`),
  }
}

/**
 * A body that the operation's schema allows, with a marker in every text that is not known to be right;
 * undefined when it takes none.
 */
export function plantedBody(
  canaries: Canaries,
  document: Document,
  { operationId, requestBody }: Operation,
  known: Readonly<Record<string, string>>,
): Schema | undefined {
  const reference = member(requestBody, 'content', 'application/json', 'schema')?.['$ref']
  const schema = member(document.components?.schemas, String(reference).replace(/^.*\//, ''))
  const properties = member(schema, 'properties')
  if (properties === undefined) return undefined
  return Object.fromEntries(
    Object.keys(properties).map((name) => [
      name,
      known[name] ?? valueFor(canaries, name, `${name} of ${operationId}`, member(properties, name)),
    ]),
  )
}

function valueFor(canaries: Canaries, name: string, place: string, schema: Schema | undefined): unknown {
  if (schema?.['type'] === 'boolean') return true
  if (Array.isArray(schema?.['enum'])) return schema['enum'][0]
  if (name === 'email') return `${canaries.plant('personal', place)}@example.com`
  if (name === 'username') return canaries.plant('personal', place)
  if (schema?.['x-sensitivity'] === 'personal') return `${canaries.plant('personal', place)} and more`
  return `${canaries.plant('secret', place)} and more`
}
