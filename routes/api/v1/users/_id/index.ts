import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { UpdateUser, User, UserParams } from '#schemas/users.ts'
import * as changes from '#services/account/account.ts'
import { CurrentPasswordRequired, WrongPassword } from '#services/account/errors.ts'
import { TooManyAttempts } from '#services/authentication/errors.ts'
import { SoleOwner } from '#services/members/errors.ts'
import { PasswordQueueFull } from '#services/passwords/errors.ts'
import {
  EmailTaken,
  Forbidden,
  LastAdmin,
  UserChanged,
  UserNotFound,
  UsernameTaken,
} from '#services/users/errors.ts'
import * as users from '#services/users/users.ts'

const UPDATE_ERRORS = [
  Forbidden,
  UserNotFound,
  EmailTaken,
  UsernameTaken,
  LastAdmin,
  UserChanged,
  CurrentPasswordRequired,
  WrongPassword,
  TooManyAttempts,
  PasswordQueueFull,
]

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { versioned: true, errors: [Forbidden, UserNotFound] },
      schema: {
        operationId: 'getUser',
        tags: ['users'],
        summary: 'Read a user',
        description: 'For the user and for admins. `ETag` names its version.',
        params: UserParams,
        response: { 200: ref(User) },
      },
    },
    async ({ ctx, user, params }, reply) => reply.sendVersioned(await users.get(ctx, user, params.id)),
  )

  app.patch(
    '',
    {
      config: {
        versioned: true,
        requires: { maxAge: '10m', unless: 'own account' },
        errors: UPDATE_ERRORS,
      },
      schema: {
        operationId: 'updateUser',
        tags: ['users'],
        summary: 'Change a user',
        description:
          'For the user and for admins; `role` and `is_active` for admins only. Your own new email address ' +
          'needs `current_password` and waits for its confirmation. Changes take effect on live tokens at ' +
          'once: those of an admin who is made a `user` are refused with 401 until they are refreshed. With ' +
          '`If-Match` the change applies only to the version that the `ETag` names.',
        params: UserParams,
        body: ref(UpdateUser),
        response: { 200: ref(User) },
      },
    },
    async (request, reply) => {
      const { ctx, user, sessionId, params, body } = request
      const versions = request.expectedVersions()
      return reply.sendVersioned(await changes.update(ctx, { user, sessionId }, params.id, body, versions))
    },
  )

  app.delete(
    '',
    {
      config: {
        versioned: true,
        requires: { maxAge: '5m' },
        errors: [Forbidden, UserNotFound, LastAdmin, UserChanged, SoleOwner],
      },
      schema: {
        operationId: 'deleteUser',
        tags: ['users'],
        summary: 'Delete a user',
        description: 'For the user and for admins. The account is gone at once, and its tokens stop working.',
        params: UserParams,
        response: { 204: NoContent('The user is deleted.') },
      },
    },
    async (request, reply) => {
      const { ctx, user, params } = request
      await changes.remove(ctx, user, params.id, request.expectedVersions())
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
