import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

/*
 * An encrypted value is, in bytes: the form's number (1), the key's id (8), the nonce (12), the encrypted text, and the
 * tag (16) of AES-256-GCM.
 */
const FORM = 1
const ID_BYTES = 8
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + ID_BYTES
const ALGORITHM = 'aes-256-gcm'

interface Key {
  /** Hexadecimal digits; says nothing of the key. */
  readonly id: string
  readonly key: KeyObject
}

/** Why an encrypted value cannot be read. */
export type EncryptionFault = 'unknown key' | 'damaged'

/** An encrypted value cannot be read: its key is not configured, or it was changed, cut, or belongs elsewhere. */
export class EncryptionError extends Error {
  override name = 'EncryptionError'
  readonly fault: EncryptionFault

  constructor(fault: EncryptionFault, message: string) {
    super(message)
    this.fault = fault
  }
}

/** Encrypts secrets for the database (AES-256-GCM). The first key encrypts, all of them decrypt. */
export class Encryption {
  readonly #current: Key
  readonly #keys: ReadonlyMap<string, Key>

  /** @param keys 32 bytes each */
  constructor(first: Buffer, ...others: readonly Buffer[]) {
    this.#current = derive(first)
    this.#keys = new Map([this.#current, ...others.map(derive)].map((key) => [key.id, key]))
  }

  /** Ids of the keys, the one that encrypts first. */
  get keyIds(): string[] {
    return [...this.#keys.keys()]
  }

  /** Id of the key that encrypts. */
  get currentKeyId(): string {
    return this.#current.id
  }

  /**
   * Encrypts a text. The same text never looks the same twice.
   *
   * @param place what the value is and whose, which must be the same to decrypt it: so it can't be moved
   */
  encrypt(text: string, place: string): Buffer {
    const { id, key } = this.#current
    const head = Buffer.concat([Buffer.of(FORM), Buffer.from(id, 'hex')])
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(associated(head, place))
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([head, nonce, body, cipher.getAuthTag()])
  }

  /**
   * Decrypts a value.
   *
   * @throws EncryptionError
   */
  decrypt(value: Buffer, place: string): string {
    if (value.length < HEAD_BYTES + NONCE_BYTES + TAG_BYTES || value[0] !== FORM) {
      throw new EncryptionError('damaged', `what is stored as ${place} is not an encrypted value`)
    }
    const head = value.subarray(0, HEAD_BYTES)
    const id = head.subarray(1).toString('hex')
    const key = this.#keys.get(id)?.key
    if (key === undefined) {
      throw new EncryptionError(
        'unknown key',
        `${place} needs the key ${id}, which encryption.keys does not have`,
      )
    }
    const nonce = value.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES)
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(associated(head, place)).setAuthTag(value.subarray(-TAG_BYTES))
    try {
      const body = value.subarray(HEAD_BYTES + NONCE_BYTES, -TAG_BYTES)
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
    } catch {
      throw new EncryptionError('damaged', `${place} was changed, or belongs elsewhere`)
    }
  }
}

function derive(secret: Buffer): Key {
  const part = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `groundwork encryption ${purpose}`, bytes))
  return { id: part('key id', ID_BYTES).toString('hex'), key: createSecretKey(part('key', 32)) }
}

function associated(head: Buffer, place: string): Buffer {
  return Buffer.concat([head, Buffer.from(place)])
}
