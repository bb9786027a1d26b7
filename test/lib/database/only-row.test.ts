import t from 'tap'
import { onlyRow } from '#lib/database/only-row.ts'

t.test('one row is returned, another number of them is a fault', async (t) => {
  t.strictSame(onlyRow([{ count: 0 }]), { count: 0 })
  t.throws(() => onlyRow([]), { name: 'TypeError', message: 'there are 0 rows in place of one' })
  t.throws(() => onlyRow([{ count: 1 }, { count: 2 }]), { message: 'there are 2 rows in place of one' })
})
