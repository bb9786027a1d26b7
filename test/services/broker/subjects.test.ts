import t from 'tap'
import { defineConsumer, isConsumer } from '#services/broker/consumer.ts'
import { isFilter, selects, subjectOf } from '#services/broker/subjects.ts'
import { EVENT } from './brokers.ts'

t.test('filters select as those of NATS do', async (t) => {
  const subject = 'projects.created.o1'
  const selecting = [subject, 'projects.*.o1', '*.*.*', 'projects.>', 'projects.created.>', '>']
  const others = ['projects', 'projects.created', 'projects.created.o2', '*.*', '*', 'projects.created.o1.>']
  for (const filter of selecting) t.ok(selects(filter, subject), filter)
  for (const filter of [...others, 'projects.deleted.*', '*.*.*.*']) t.notOk(selects(filter, subject), filter)
  for (const filter of [...selecting, ...others]) t.ok(isFilter(filter), filter)
  for (const filter of ['', '.', 'a..b', '>.a', 'a.>.b', 'a*', 'a b', 'a.>>', ' a'])
    t.notOk(isFilter(filter), filter)
})

t.test('a subject is the type and the organization, or the platform', async (t) => {
  t.equal(subjectOf({ ...EVENT, type: 'projects.created', organizationid: 'o1' }), 'projects.created.o1')
  t.equal(subjectOf({ ...EVENT, type: 'users.created' }), 'users.created.platform')
})

t.test('a consumer that could never hear of anything is refused', async (t) => {
  const options = { name: 'mirror', handler: async () => undefined }
  t.ok(isConsumer(defineConsumer({ ...options, subjects: ['projects.>'] })))
  t.notOk(isConsumer({ ...options, subjects: ['projects.>'] }))
  for (const subjects of [[], ['a..b'], ['projects.>', 'x y']]) {
    t.throws(() => defineConsumer({ ...options, subjects }), /the consumer mirror can't have the subjects/)
  }
})
