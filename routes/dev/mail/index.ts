import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { MailNotFound } from '#services/mail/errors.ts'
import { renderFrame, renderList, renderMail } from './pages.ts'

/** The pages' own styles, and what they frame. */
const PAGE_CSP =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'"

/** A mail is nobody's page: it runs nothing, and is of no origin. */
const MAIL_CSP =
  "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups allow-popups-to-escape-sandbox; " +
  "form-action 'none'; frame-ancestors 'self'"

/** Development and tests only: the mail that was kept instead of sent. Elsewhere there is no such route. */
const routes: FastifyPluginAsync = async (app) => {
  const { mailbox } = app
  if (mailbox === undefined) return
  // Not part of the product's document.
  const schema = { hide: true }

  /** @throws MailNotFound */
  const getMail = async (id: string) => {
    const mail = await mailbox.find(id)
    if (!mail) throw new MailNotFound()
    return mail
  }

  const sendHtml = (reply: FastifyReply, csp: string, body: string) =>
    reply.asPage().header('content-security-policy', csp).type('text/html; charset=utf-8').send(body)

  app.get('', { schema }, async (_request, reply) =>
    sendHtml(reply, PAGE_CSP, renderList(await mailbox.list())),
  )

  app.get<{ Params: { id: string } }>('/:id', { schema }, async ({ params }, reply) =>
    sendHtml(reply, PAGE_CSP, renderMail(await getMail(params.id))),
  )

  app.get<{ Params: { id: string } }>('/:id/html', { schema }, async ({ params }, reply) => {
    reply.header('x-frame-options', 'SAMEORIGIN')
    return sendHtml(reply, MAIL_CSP, renderFrame(await getMail(params.id)))
  })

  app.get<{ Querystring: { to?: string } }>(
    '/messages',
    { schema: { ...schema, querystring: { type: 'object', properties: { to: { type: 'string' } } } } },
    async ({ query }) => ({ data: await mailbox.list(query) }),
  )

  app.delete('/messages', { schema }, async (_request, reply) => {
    await mailbox.clear()
    return reply.code(204).send()
  })
}

export default routes
