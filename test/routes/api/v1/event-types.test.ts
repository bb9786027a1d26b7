import t from 'tap'
import { borrowTestApp } from '#test/support/borrow.ts'

t.test(
  'the kinds of events are listed, and those of organizations are webhooks of the document',
  async (t) => {
    const { app, request, signUp } = await borrowTestApp(t)
    const response = await request({ url: '/api/v1/event-types', as: await signUp() })
    t.equal(response.statusCode, 200)
    const { data } = response.json<{ data: { type: string; of: string; data: object }[] }>()
    const names = data.map(({ type }) => type)
    t.same(names, [...names].sort())
    t.match(
      data.find(({ type }) => type === 'members.updated'),
      {
        version: 1,
        of: 'organization',
        subject: 'user',
        data: {
          type: 'object',
          required: ['role'],
          properties: { role: { enum: ['owner', 'admin', 'member'] } },
        },
      },
    )
    const { webhooks } = app.swagger() as { webhooks?: object }
    t.same(
      Object.keys(webhooks ?? {}),
      data.filter(({ of }) => of === 'organization').map(({ type }) => type),
    )
  },
)
