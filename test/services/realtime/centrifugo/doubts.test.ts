import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { findEventTypes } from '#services/events/find-event-types.ts'
import { doubtedBy } from '#services/realtime/centrifugo/doubts.ts'
import { borrowTestApp } from '#test/support/borrow.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { eventOf } from '../event-of.ts'

t.test('who may hear less after an event', async (t) => {
  const { app } = await borrowTestApp(t)
  const tenant = await createOrganization(app)
  const member = await tenant.add('member')
  const [key, ended] = [await tenant.createApiKey(), await tenant.createApiKey()]
  await tenant.expire(ended.id)
  await createOrganization(app).then((other) => other.createApiKey())
  const [org, subject, from, to] = [tenant.organization.id, uuidv7(), uuidv7(), uuidv7()]
  const everybody = [tenant.owner.user.id, member.user.id, `api_key:${key.id}`].sort()

  const doubted = new Map<string, string[]>([
    ...[
      'sessions.ended',
      'users.updated',
      'users.deleted',
      'users.password_changed',
      'users.password_reset',
    ].map((type): [string, string[]] => [type, [subject]]),
    ...['members.updated', 'members.removed'].map((type): [string, string[]] => [type, [subject]]),
    ...['api_keys.updated', 'api_keys.rotated', 'api_keys.revoked'].map((type): [string, string[]] => [
      type,
      [`api_key:${subject}`],
    ]),
    ['organizations.suspended', everybody],
    ['organizations.deleted', everybody],
    // Who hands it over, and nobody else.
    ['organizations.ownership_transferred', [from]],
  ])
  for (const { type } of await findEventTypes()) {
    const data = { from, to, changed: ['email', 'role'], user_id: to }
    const event = eventOf({ type, organization_id: org, data, subject: { type: 'any', id: subject } })
    t.strictSame((await doubtedBy(app.ctx, event)).sort(), doubted.get(type) ?? [], type)
  }

  const afterChange = (...changed: string[]) =>
    doubtedBy(
      app.ctx,
      eventOf({ type: 'users.updated', data: { changed }, subject: { type: 'user', id: subject } }),
    )
  for (const name of ['is_active', 'role']) t.strictSame(await afterChange('name', name), [subject], name)
  t.strictSame(await afterChange('name', 'email'), [], 'another name changes nothing')
  const ofNobody = eventOf({ type: 'organizations.suspended', organization_id: null })
  t.strictSame(await doubtedBy(app.ctx, ofNobody), [])
})
