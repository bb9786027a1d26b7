import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { publicUrl } from '#config/public-url.ts'
import type { Config } from '#config/schema/schema.ts'
import { Clamd } from '#lib/clamd/clamd.ts'
import { deriveKey } from '#lib/secrets/secrets.ts'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import type { Content, Upload } from '#services/files/content.ts'
import type { FilesContext, Scanning, SpaceContext } from '#services/files/context.ts'
import { longestWait } from '#services/files/scanning.ts'
import { forPerson } from '#services/members/membership.ts'
import { registerScanMetrics } from './metrics.ts'
import { type Sending, sendContent } from './send-content.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<FilesContext, 'files'> {}
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer is the content of a file (`reply.sendContent`), which takes `Range` and conditions. */
    content?: true
  }
  interface FastifyRequest {
    /**
     * The context for the files that the path is about: the organization's, or those of who sends the request.
     */
    inSpace(ctx?: AppContext): SpaceContext<AppContext>
    /** The body, where the route takes bytes (`config.upload`). */
    upload(): Upload
  }
  interface FastifyReply {
    /** Sends the content of a file, or the part of it that was asked for, or says that the client has it. */
    sendContent(content: Content, sending?: Sending): Promise<FastifyReply>
  }
}

/** Files: their context, bodies that are bytes, and answers that are. */
export default fp(
  async (app) => {
    const { files, jwt, server } = app.config
    app.addContext({
      files: {
        maxSize: files.max_size,
        quotaPerUser: files.quota_per_user,
        quotaPerOrganization: files.quota_per_organization,
        trashMs: files.trash,
        emptyMs: files.upload_lifetime,
        linkMs: files.link_lifetime,
        linkKey: deriveKey(jwt.secret, 'links to files'),
        linkBase: files.public_url ?? publicUrl(server),
        scanning: scanningOf(files.scan),
        countScan: registerScanMetrics(app.metrics, () => longestWait(app.db)),
      },
    })

    app.decorateRequest('inSpace', function (this: FastifyRequest, ctx = this.ctx) {
      const author = this.principal?.kind === 'user' ? this.principal.user.id : null
      if (this.admitted !== undefined) return { ...this.inOrganization(ctx), author }
      return { ...forPerson(ctx, this.user.id), author }
    })
    app.decorateRequest('upload', function (this: FastifyRequest) {
      const { 'content-length': length, 'transfer-encoding': coding } = this.headers
      // What stops reading still has an answer to send, so the stream must not end the connection.
      const pieces = this.raw.iterator({ destroyOnReturn: false })
      return { pieces, length: coding === undefined ? Number(length ?? 0) : undefined }
    })
    app.decorateReply('sendContent', function (this: FastifyReply, content, sending) {
      const { accel_prefix: prefix } = files
      // Who asks without that proxy gets the bytes.
      const toProxy = prefix !== undefined && this.request.headers['x-accel-prefix'] === prefix
      return sendContent(this, content, { ...sending, toProxy })
    })
  },
  { name: 'files', dependencies: ['context', 'database', 'metrics'] },
)

function scanningOf({ address, max_size, on_error, timeout }: Config['files']['scan']): Scanning | undefined {
  if (address === undefined) return undefined
  return { scanner: new Clamd(address, timeout), maxSize: max_size, isHeld: on_error === 'hold' }
}
