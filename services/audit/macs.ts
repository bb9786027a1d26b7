import { hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Marker } from '#lib/context.ts'
import { Hmac } from './hmac.ts'

const ID_BYTES = 8
const MAC_BYTES = ID_BYTES + 32

/** How an entry's mac is: made by one of our keys over these bytes, by none that we have, or wrong. */
export type MacState = 'right' | 'wrong' | 'unknown key'

interface Key {
  readonly id: Buffer
  readonly hmac: Hmac
}

/** Marks entries as the service's own, so that a row that somebody else writes is not sealed. The first key marks. */
export class EntryMacs implements Marker {
  readonly #current: Key
  readonly #keys: readonly Key[]

  constructor(first: Buffer, ...others: readonly Buffer[]) {
    this.#current = derive(first)
    this.#keys = [this.#current, ...others.map(derive)]
  }

  /** Ids of the keys, as macs begin with them. */
  get keyIds(): Buffer[] {
    return this.#keys.map(({ id }) => id)
  }

  /** The mac of an entry's canonical form: eight bytes that name the key, and the HMAC. */
  mark(bytes: Buffer): Buffer {
    return Buffer.concat([this.#current.id, Buffer.from(this.#current.hmac.of(bytes), 'latin1')])
  }

  check(bytes: Buffer, mac: Buffer): MacState {
    if (mac.length !== MAC_BYTES) return 'wrong'
    const key = this.#keys.find(({ id }) => id.compare(mac, 0, ID_BYTES) === 0)
    if (key === undefined) return 'unknown key'
    expected.write(key.hmac.of(bytes), 'latin1')
    return timingSafeEqual(expected, mac.subarray(ID_BYTES)) ? 'right' : 'wrong'
  }
}

const expected = Buffer.alloc(MAC_BYTES - ID_BYTES)

function derive(secret: Buffer): Key {
  const part = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `groundwork audit ${purpose}`, bytes))
  return { id: part('key id', ID_BYTES), hmac: new Hmac(part('mac', 32)) }
}
