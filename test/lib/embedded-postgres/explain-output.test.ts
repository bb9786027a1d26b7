import t from 'tap'
import { explainOutput } from '#lib/embedded-postgres/explain-output.ts'

t.test('messages of PostgreSQL get advice, and others stay as they are', async (t) => {
  const table: [string, RegExp][] = [
    ['The data directory was initialized by PostgreSQL version 17', /another version/],
    ['FATAL:  database files are incompatible with server', /another version/],
    ['could not write: No space left on device', /^The disk is full/],
    ['could not open: Permission denied', /chown -R/],
    ['data directory "x" has wrong ownership', /chown -R/],
    ['could not change permissions of directory', /chown -R/],
    ['PANIC:  could not locate a valid checkpoint record at 0/0', /damaged/],
    ['PANIC:  invalid checkpoint record', /damaged/],
    ['LOG:  invalid primary checkpoint record', /damaged/],
    ['FATAL:  could not open file "global/pg_control"', /damaged/],
  ]
  for (const [message, advice] of table) {
    const [first, second, ...others] = explainOutput(`\n${message}\n`).split('\n')
    t.equal(first, message)
    t.match(second, advice, message)
    t.strictSame(others, [])
  }
  t.equal(explainOutput(' something else\n'), 'something else')
})
