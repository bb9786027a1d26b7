import { dictionary } from '@zxcvbn-ts/language-common'
import t from 'tap'
import { isCommon } from '#services/passwords/common-passwords.ts'

t.test('the list is as long as it is said to be, and all of it is refused', async (t) => {
  const list = dictionary['passwords-common'].filter((password) => password.length >= 8)
  t.ok(list.length >= 10_000, `${list.length} passwords that are long enough`)
  t.same(
    list.filter((password) => !isCommon(password) || !isCommon(password.toUpperCase())),
    [],
  )
})
