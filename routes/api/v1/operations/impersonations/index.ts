import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import {
  ImpersonationPage,
  ListImpersonationsQuery,
  StartedImpersonation,
  StartImpersonation,
} from '#schemas/impersonations.ts'
import { ref } from '#schemas/registry.ts'
import * as impersonation from '#services/authentication/impersonation.ts'
import { ImpersonationNotAllowed } from '#services/sessions/errors.ts'
import * as impersonations from '#services/sessions/impersonations.ts'
import { UserNotFound } from '#services/users/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        access: 'operator',
        requires: { maxAge: '5m' },
        errors: [ImpersonationNotAllowed, UserNotFound],
      },
      schema: {
        operationId: 'startImpersonation',
        tags: ['administration'],
        summary: "Act in a user's place",
        description:
          'Opens a session of the user for at most 30 minutes. The user is told by mail, and all that is done names both. ' +
          'What needs a proof of who one is, and what is about passwords, addresses and sessions, is out of reach. Never ' +
          'of admins. For admins.',
        body: ref(StartImpersonation),
        response: { 200: ref(StartedImpersonation) },
      },
    },
    ({ ctx, user, body }) => impersonation.start(ctx, user, body),
  )

  app.get(
    '',
    {
      config: { access: 'operator', errors: [InvalidCursor] },
      schema: {
        operationId: 'listImpersonations',
        tags: ['administration'],
        summary: 'List who acted in whose place',
        description: 'Newest first, in pages, as long as sessions are kept. For admins.',
        querystring: ListImpersonationsQuery,
        response: { 200: ref(ImpersonationPage) },
      },
    },
    ({ ctx, user, query }) => impersonations.list(ctx, user, query),
  )
}

export default routes
