import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { createTestApp } from '#test/support/helper.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

t.test('a route under /api is closed unless it says otherwise', async (t) => {
  const open = new Set([
    'POST /api/v1/users',
    'POST /api/v1/auth/login',
    'POST /api/v1/auth/refresh',
    'POST /api/v1/auth/email/verify',
    'POST /api/v1/auth/email/resend',
    'POST /api/v1/auth/password/forgot',
    'POST /api/v1/auth/password/reset',
    'POST /api/v1/invitations/accept',
    'POST /api/v1/invitations/decline',
    'POST /api/v1/invitations/inspect',
    // These need the token of a link.
    'GET /api/v1/shared-files/:id',
    'HEAD /api/v1/shared-files/:id',
  ])
  const routes: { url: string; methods: string[] }[] = []
  const { app } = await createTestApp(t, {}, async (instance) => {
    instance.addHook('onRoute', ({ url, method, schema }) => {
      const isOperation = url.startsWith('/api/') && schema?.operationId !== undefined
      if (isOperation) routes.push({ url, methods: [method].flat() })
    })
  })
  const asked: string[] = []
  for (const { url, methods } of routes) {
    for (const method of METHODS.filter((each) => methods.includes(each))) {
      asked.push(`${method} ${url}`)
      const { statusCode } = await app.inject({ method, url: url.replace(/:\w+/g, uuidv7()) })
      // What is for operators is hidden from everybody else.
      const refusal = url.startsWith('/api/v1/operations/') ? 404 : 401
      t.equal(statusCode, open.has(`${method} ${url}`) ? 400 : refusal, `${method} ${url}`)
    }
  }
  t.ok(asked.includes('DELETE /api/v1/users/:id/sessions/:session_id'), 'the routes are seen')
  for (const name of open) t.ok(asked.includes(name), name)
})
