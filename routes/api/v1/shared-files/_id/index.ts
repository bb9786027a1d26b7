import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { wantsHtml } from '#lib/html/wants-html.ts'
import { renderLostFile } from '#routes/account/pages.ts'
import { BinaryContent, FileParams, SharedFileQuery } from '#schemas/files.ts'
import { NoContent } from '#schemas/primitives.ts'
import { InvalidLink } from '#services/files/errors.ts'
import type { SharedContent } from '#services/files/links.ts'
import { FileStoreUnavailable, FilesDisabled } from '#services/storage/errors.ts'
import { VariantUnavailable } from '#services/variants/errors.ts'
import * as links from '#services/variants/links.ts'

/** The stylesheet of the account pages, and nothing else. */
const CSP = "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Sends what a link leads to, or says that the copy of an image is being made. */
function sendShared(reply: FastifyReply, content: SharedContent | undefined) {
  if (content === undefined) return reply.code(202).header('retry-after', 1).send(undefined)
  return reply.sendContent(content, { download: content.download, embeddable: true })
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  // The way up is longer where a mail program has put a slash before the `?`.
  const lost = ['../../../account/', '../../../../account/'].map((up) => renderLostFile(app.mail.site, up))

  /** People open these links too, from mails and chats: their browsers get a page, programs a problem document. */
  function sendLost(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
    const hasSlash = request.url.split('?', 1)[0]?.endsWith('/')
    const isLost = error instanceof InvalidLink || error.validation !== undefined
    if (!isLost || !wantsHtml(request.headers.accept)) throw error
    request.failure = error
    return reply
      .code(error.validation === undefined ? InvalidLink.definition.status : 400)
      .asPage()
      .headers({ 'content-security-policy': CSP, vary: 'accept' })
      .type('text/html; charset=utf-8')
      .send(lost[hasSlash ? 1 : 0])
  }

  const config = {
    access: 'public',
    content: true,
    errors: [InvalidLink, VariantUnavailable, FileStoreUnavailable, FilesDisabled],
  } as const

  app.get(
    '',
    {
      config,
      schema: {
        operationId: 'getSharedFile',
        tags: ['files'],
        summary: 'Read a shared file',
        description:
          'What a link of `createFileLink` leads to, as `getFileContent` sends it. Browsers get a page if the link does not work.',
        params: FileParams,
        querystring: SharedFileQuery,
        response: { 200: BinaryContent, 202: NoContent('The copy of the image is being made.') },
      },
      errorHandler: sendLost,
    },
    async (request, reply) => {
      const content = await links.open(request.ctx, request.params.id, request.query.token)
      return sendShared(reply, content)
    },
  )

  app.get(
    '/',
    {
      config,
      schema: { hide: true, params: FileParams, querystring: SharedFileQuery },
      prefixTrailingSlash: 'slash',
      errorHandler: sendLost,
    },
    async (request, reply) => {
      const content = await links.open(request.ctx, request.params.id, request.query.token)
      return sendShared(reply, content)
    },
  )
}

export default routes
