import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { renderLostFile } from '#routes/account/pages.ts'
import { BinaryContent, FileParams, SharedFileQuery } from '#schemas/files.ts'
import { InvalidLink } from '#services/files/errors.ts'
import * as links from '#services/files/links.ts'
import { FileStoreUnavailable, FilesDisabled } from '#services/storage/errors.ts'

/** The stylesheet of the account pages, and nothing else. */
const CSP = "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'"

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const lost = renderLostFile(app.mail.site, '../../../account/')

  /** People open these links too, from mails and chats: their browsers get a page, programs a problem document. */
  function sendLost(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
    const isLost = error instanceof InvalidLink || error.validation !== undefined
    if (!isLost || !request.headers.accept?.includes('text/html')) throw error
    request.failure = error
    return reply
      .code(error.validation === undefined ? InvalidLink.definition.status : 400)
      .asPage()
      .headers({ 'content-security-policy': CSP, vary: 'accept' })
      .type('text/html; charset=utf-8')
      .send(lost)
  }

  app.get(
    '',
    {
      config: {
        access: 'public',
        content: true,
        errors: [InvalidLink, FileStoreUnavailable, FilesDisabled],
      },
      schema: {
        operationId: 'getSharedFile',
        tags: ['files'],
        summary: 'Read a shared file',
        description:
          'What a link of `createFileLink` leads to, as `getFileContent` sends it. Browsers get a page if the link does not work.',
        params: FileParams,
        querystring: SharedFileQuery,
        response: { 200: BinaryContent },
      },
      errorHandler: sendLost,
    },
    async (request, reply) => {
      const content = await links.open(request.ctx, request.params.id, request.query.token)
      return reply.sendContent(content, { download: content.download, embeddable: true })
    },
  )
}

export default routes
