import { randomBytes } from 'node:crypto'
import t from 'tap'
import { Encryption, EncryptionError } from '#lib/encryption/encryption.ts'

const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const PLACE = 'things.secret of 1'

const faultOf = (work: () => unknown) => {
  try {
    work()
    return 'none'
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error
    return error.fault
  }
}

t.test('a text comes back as it was', async (t) => {
  const encryption = new Encryption(NEW)
  for (const text of ['', 'JBSWY3DPEHPK3PXP', 'ß😀', 'x'.repeat(100_000)]) {
    const value = encryption.encrypt(text, PLACE)
    t.equal(encryption.decrypt(value, PLACE), text)
    if (text !== '') t.notOk(value.includes(text))
    t.notSame(encryption.encrypt(text, PLACE), value, 'never twice the same')
  }
})

t.test('the first key encrypts, all of them decrypt', async (t) => {
  const old = new Encryption(OLD)
  const both = new Encryption(NEW, OLD)
  t.equal(both.decrypt(old.encrypt('a', PLACE), PLACE), 'a')
  const value = both.encrypt('a', PLACE)
  t.equal(new Encryption(NEW).decrypt(value, PLACE), 'a')
  t.equal(
    new Encryption(OLD, NEW).decrypt(value, PLACE),
    'a',
    'also before the others have the new one in front',
  )
  t.equal(
    faultOf(() => old.decrypt(value, PLACE)),
    'unknown key',
  )
  t.strictSame(both.keyIds, [both.currentKeyId, old.currentKeyId])
})

t.test('the form is the same for ever: databases and backups hold it', async (t) => {
  const value = Buffer.from(
    '013072dbe2385fc913113019dce10eee8b49d98b3ed43919a3056ecea0d3cc96a04986a25298ed1bba13973d9ec7530e78feb801db',
    'hex',
  )
  t.equal(new Encryption(OLD).decrypt(value, PLACE), 'JBSWY3DPEHPK3PXP')
})

t.test('a value that was changed, cut or moved is not read', async (t) => {
  const encryption = new Encryption(NEW, OLD)
  const value = encryption.encrypt('JBSWY3DPEHPK3PXP', PLACE)
  t.equal(
    faultOf(() => encryption.decrypt(value, 'things.secret of 2')),
    'damaged',
  )
  for (let position = 0; position < value.length; position++) {
    const changed = Buffer.from(value)
    changed.writeUInt8(changed.readUInt8(position) ^ 1, position)
    t.not(
      faultOf(() => encryption.decrypt(changed, PLACE)),
      'none',
      `byte ${position}`,
    )
    t.not(
      faultOf(() => encryption.decrypt(value.subarray(0, position), PLACE)),
      'none',
      `cut to ${position}`,
    )
  }
  t.not(
    faultOf(() => encryption.decrypt(randomBytes(64), PLACE)),
    'none',
  )
})

t.test('neither ids nor errors tell a key or a text', async (t) => {
  const encryption = new Encryption(NEW)
  t.notOk(NEW.toString('hex').includes(encryption.currentKeyId))
  const value = new Encryption(OLD).encrypt('the text', PLACE)
  t.throws(() => encryption.decrypt(value, PLACE), {
    message: `${PLACE} needs the key ${new Encryption(OLD).currentKeyId}, which encryption.keys does not have`,
  })
})
