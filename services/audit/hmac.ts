import { hash } from 'node:crypto'

const BLOCK_BYTES = 64
const ROOM_BYTES = 16 * 1024

/**
 * HMAC-SHA-256 (RFC 2104) by two hashes: 1.1 us for an entry, where `createHmac` takes 3 to make an object that is used
 * once (decision 109).
 */
export class Hmac {
  readonly #inner = Buffer.alloc(ROOM_BYTES)
  readonly #outer = Buffer.alloc(BLOCK_BYTES + 32)

  /** @param key of at most 64 bytes */
  constructor(key: Buffer) {
    if (key.length > BLOCK_BYTES) throw new RangeError('a longer key would have to be hashed')
    for (let index = 0; index < BLOCK_BYTES; index++) {
      const byte = key[index] ?? 0
      this.#inner[index] = byte ^ 0x36
      this.#outer[index] = byte ^ 0x5c
    }
  }

  /** Returns the HMAC as a string, each character a byte. */
  of(bytes: Buffer): string {
    this.#outer.write(hash('sha256', this.#after(bytes), 'binary'), BLOCK_BYTES, 'latin1')
    return hash('sha256', this.#outer, 'binary')
  }

  #after(bytes: Buffer): Buffer {
    const end = BLOCK_BYTES + bytes.length
    if (end > ROOM_BYTES) return Buffer.concat([this.#inner.subarray(0, BLOCK_BYTES), bytes])
    bytes.copy(this.#inner, BLOCK_BYTES)
    return this.#inner.subarray(0, end)
  }
}
