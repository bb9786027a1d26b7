import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AcceptedInvitation, AcceptInvitation } from '#schemas/invitations.ts'
import { ref } from '#schemas/registry.ts'
import * as acceptance from '#services/invitations/acceptance.ts'
import { AccountNeeded, InvitationNotFound } from '#services/invitations/errors.ts'
import { MemberLimitReached } from '#services/members/errors.ts'
import { NEW_PASSWORD_ERRORS } from '#services/passwords/errors.ts'
import { EmailTaken, UsernameTaken } from '#services/users/errors.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: {
        access: 'public',
        cost: 20,
        idempotent: true,
        errors: [
          ...[InvitationNotFound, AccountNeeded, MemberLimitReached, EmailTaken, UsernameTaken],
          ...NEW_PASSWORD_ERRORS,
        ],
      },
      schema: {
        operationId: 'acceptInvitation',
        tags: ['invitations'],
        summary: 'Accept an invitation',
        description:
          'Makes the account with the invited address a member, also while somebody else is signed in. The token came ' +
          'by mail, so the address counts as confirmed. Where no account has the address, one is created, also with ' +
          'registration closed. An account that has not confirmed it gets the new password, and its sessions end.',
        body: ref(AcceptInvitation),
        response: { 200: ref(AcceptedInvitation) },
      },
    },
    async (request, reply) => {
      const prepared = acceptance.prepare(request.ctx, request.body)
      // That somebody else has just used it may be this request, sent before: then the answer is the one it had.
      await Promise.allSettled([prepared])
      return reply.sendOnce(async (ctx) => ({
        status: 200,
        body: await acceptance.accept(ctx, await prepared),
      }))
    },
  )
}

export default routes
