import t from 'tap'
import { s3Settings } from '#lib/backup/s3-store.ts'

t.test('one region, also where AWS has two variables for it', async (t) => {
  t.equal(s3Settings({}).region, undefined)
  t.equal(s3Settings({ AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-1' }).region, 'eu-1')
  t.equal(s3Settings({ AWS_REGION: 'eu-1', AWS_DEFAULT_REGION: 'eu-1' }).region, 'eu-1')
  t.throws(() => s3Settings({ AWS_REGION: 'eu-1', AWS_DEFAULT_REGION: 'us-1' }), {
    name: 'BackupError',
    message: /AWS_REGION is eu-1 and AWS_DEFAULT_REGION is us-1/,
  })
})
