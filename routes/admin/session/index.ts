import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Login, PanelTokens, type TokenPair } from '#schemas/authentication.ts'
import { NoContent } from '#schemas/primitives.ts'
import { ref } from '#schemas/registry.ts'
import * as adminSession from '#services/authentication/admin-session.ts'
import { NotFromPanel } from '#services/authentication/errors.ts'
import { InvalidRefreshToken } from '#services/sessions/errors.ts'
import { RefreshCookie } from './cookie.ts'

/**
 * The panel's session: POST signs in, PUT refreshes, DELETE signs out. One URL, because the cookie with the refresh token
 * is sent to no other.
 */
const routes: FastifyPluginAsyncTypebox = async (app) => {
  if (!app.config.admin.panel) return
  const cookie = new RefreshCookie(app.publicPath)
  const schema = { hide: true, response: { 200: PanelTokens } }

  function answer(request: FastifyRequest, reply: FastifyReply, pair: TokenPair): PanelTokens {
    const { refresh_token, ...tokens } = pair
    reply.header('set-cookie', cookie.write(request, refresh_token))
    return tokens
  }

  // Before bodies are read. Beside SameSite, for a page of a neighbouring origin is of the same site.
  app.addHook('onRequest', async ({ headers, routeOptions }) => {
    if (routeOptions.config.refusesMethod) return
    if (headers['sec-fetch-site'] !== 'same-origin') throw new NotFromPanel()
  })

  app.post('', { config: { cost: 20 }, schema: { ...schema, body: ref(Login) } }, async (request, reply) =>
    answer(request, reply, await adminSession.open(request.ctx, request.body)),
  )

  app.put('', { schema: { hide: true, body: EMPTY, response: RENEWED } }, async (request, reply) => {
    const token = cookie.read(request)
    // Nobody is signed in, which is not a failure that a browser should report.
    if (token === undefined) return reply.code(204).send(undefined)
    try {
      return answer(request, reply, await adminSession.renew(request.ctx, token))
    } catch (error) {
      if (error instanceof InvalidRefreshToken) reply.header('set-cookie', cookie.write(request, undefined))
      throw error
    }
  })

  const ended = { hide: true, response: { 204: NoContent('The session is ended.') } }
  app.delete('', { schema: ended }, async (request, reply) => {
    const token = cookie.read(request)
    if (token !== undefined) await adminSession.end(request.ctx, token)
    return reply.code(204).header('set-cookie', cookie.write(request, undefined)).send(undefined)
  })
}

export default routes

/** 204 when nobody is signed in. */
const RENEWED = { 200: PanelTokens, 204: NoContent('There is no session.') }

/** An empty object: a body in JSON, which a form of another page cannot send. */
const EMPTY = Type.Object({}, { additionalProperties: false })
