import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import { UpdateCurrentUser, User } from '#schemas/users.ts'
import * as changes from '#services/account/account.ts'
import { CurrentPasswordRequired, WrongPassword } from '#services/account/errors.ts'
import { TooManyAttempts } from '#services/authentication/errors.ts'
import { SoleOwner } from '#services/members/errors.ts'
import { PasswordQueueFull } from '#services/passwords/errors.ts'
import { LastAdmin, UserChanged, UserNotFound, UsernameTaken } from '#services/users/errors.ts'

/** Errors of updateCurrentUser. */
const CHANGE_ERRORS = [
  UserNotFound,
  UsernameTaken,
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
      config: { versioned: true },
      schema: {
        operationId: 'getCurrentUser',
        tags: ['users'],
        summary: 'Read your own account',
        description: 'The signed-in user. `ETag` names its version.',
        response: { 200: ref(User) },
      },
    },
    // Authentication has just read it.
    (request, reply) => {
      reply.sendVersioned(request.user)
    },
  )

  app.patch(
    '',
    {
      config: { forPersonOnly: true, cost: 5, versioned: true, errors: CHANGE_ERRORS },
      schema: {
        operationId: 'updateCurrentUser',
        tags: ['users'],
        summary: 'Change your own account',
        description:
          'A new email address needs `current_password`, and takes effect once the link that is mailed to it ' +
          'is used. With `If-Match` the change applies only to the version that the `ETag` names.',
        body: ref(UpdateCurrentUser),
        response: { 200: ref(User) },
      },
    },
    async (request, reply) => {
      const { ctx, user, sessionId, body } = request
      const versions = request.expectedVersions()
      return reply.sendVersioned(await changes.update(ctx, { user, sessionId }, user.id, body, versions))
    },
  )

  app.delete(
    '',
    {
      config: {
        versioned: true,
        requires: { maxAge: '5m' },
        errors: [UserNotFound, LastAdmin, UserChanged, SoleOwner],
      },
      schema: {
        operationId: 'deleteCurrentUser',
        tags: ['users'],
        summary: 'Delete your own account',
        description: 'The account is gone at once, and its tokens stop working.',
        response: { 204: NoContent('The account is deleted.') },
      },
    },
    async (request, reply) => {
      const { ctx, user } = request
      await changes.remove(ctx, user, user.id, request.expectedVersions())
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
