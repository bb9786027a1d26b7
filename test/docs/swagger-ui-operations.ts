import type { FastifyInstance } from 'fastify'
import { sendMail } from '#services/mail/mail.ts'
import type { Entry } from './swagger-ui.ts'

/** Executes what people do who run the service. */
export async function executeOperations(
  { ctx, db, jobs }: FastifyInstance,
  user: string,
  expect: (operationId: string, status: number, entry?: Entry) => Promise<string>,
): Promise<void> {
  for (const operation of [
    'getHealthSummary',
    'getAuditVerification',
    'listQueues',
    'listSchedules',
    'listJobs',
  ])
    await expect(operation, 200)
  for (const operation of ['pauseQueue', 'resumeQueue'])
    await expect(operation, 200, { params: { name: 'cleanup' } })
  await expect('runScheduleNow', 202, { params: { queue: 'cleanup' } })
  await expect('getJob', 200, { params: { id: await jobs.runNow(db, 'cleanup') } })
  await expect('previewJobAction', 200)
  const { id } = JSON.parse(await expect('createJobAction', 201))
  for (const operation of ['getJobAction', 'stopJobAction']) await expect(operation, 200, { params: { id } })
  await expect('listJobActions', 200)
  for (const operation of ['listMails', 'listMailTemplates', 'listSettings', 'searchUsers'])
    await expect(operation, 200)
  await expect('previewMail', 200, { params: { template: 'reset-password' } })
  const params = { id: await sendMail(ctx, { template: 'already-registered', to: 'ada@example.com' }) }
  await expect('getMail', 200, { params })
  await expect('resendMail', 201, { params })
  for (const what of ['User', 'UserSessions', 'UserOrganizations', 'UserFiles'])
    await expect(`${what === 'User' ? 'get' : 'list'}Administered${what}`, 200, { params: { id: user } })
  await expect('getCurrentSession', 200)
  const { impersonation } = JSON.parse(
    await expect('startImpersonation', 200, { body: { user_id: user, minutes: 5, reason: 'a test' } }),
  )
  await expect('listImpersonations', 200)
  await expect('stopImpersonation', 200, { params: { id: impersonation.id } })
  await expect('sendUserPasswordReset', 202, { params: { id: user } })
  await expect('updateAdministeredUser', 200, {
    params: { id: user },
    body: { role: 'user', reason: 'a test' },
  })
  await expect('endAdministeredUserSessions', 200, { params: { id: user }, body: { reason: 'a test' } })
}
