import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { createKey, hintOf, looksLikeKey, readKey } from '#services/api-keys/key-format.ts'
import { amount } from '#test/support/amount.ts'

const name = { org: uuidv7(), id: uuidv7() }

t.test('a key names itself and its organization, and no two are the same', async (t) => {
  const keys = new Set(Array.from({ length: 100 }, () => createKey(name)))
  t.equal(keys.size, 100)
  for (const key of keys) {
    t.strictSame(readKey(key), name)
    t.ok(looksLikeKey(key))
    t.match(key, /^gwk_[0-9a-f]{136}$/, 'the published pattern')
    t.equal(key, `${key.slice(0, -4)}${hintOf(key)}`)
  }
})

t.test('a checksum with zeros in front is written in full', async (t) => {
  for (let turn = 0; turn < 2000; turn++) t.ok(readKey(createKey(name)))
})

t.test('the form is the same for ever: keys are in the hands of customers', async (t) => {
  const key =
    'gwk_01997d1c7b6e7c3a9d532f6a4c1e8b9001997d1c7b6e7c3a9d532f6a4c1e8b91' +
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
  t.strictSame(readKey(`${key}bd0cdd29`), {
    org: '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90',
    id: '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b91',
  })
})

t.test('no key with one character changed is taken', async (t) => {
  const key = createKey(name)
  for (let position = 0; position < key.length; position++) {
    for (const character of '0123456789abcdefgwk_AF-') {
      if (character === key[position]) continue
      const changed = key.slice(0, position) + character + key.slice(position + 1)
      if (readKey(changed) !== undefined) t.fail(`${character} at ${position}`)
    }
  }
})

t.test('what was cut, joined, shuffled or made up is not taken', async (t) => {
  const key = createKey(name)
  const digits = [...key.slice(4)]
  const shuffled = () => `gwk_${digits.toSorted(() => Math.random() - 0.5).join('')}`
  const others = [
    '',
    'gwk_',
    key.slice(1),
    key.slice(0, -1),
    `${key}0`,
    ` ${key}`,
    `${key}\n`,
    key.toUpperCase(),
  ]
  for (const text of [...others, key + key]) t.equal(readKey(text), undefined, text)
  for (let turn = 0; turn < amount({ few: 1000, many: 100_000 }); turn++) {
    const text = shuffled()
    if (text !== key && readKey(text) !== undefined) t.fail(text)
  }
})
