import type { FastifyReply, FastifyRequest, preHandlerHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Part } from '#services/uploads/append.ts'
import type { UploadsContext } from '#services/uploads/context.ts'
import { Digests } from '#services/uploads/digests.ts'
import type { UploadState } from '#services/uploads/state.ts'
import type { NewUpload } from '#services/uploads/uploads.ts'
import { TUS_VERSION } from './headers.ts'
import { countUploads } from './metrics.ts'
import { readNewUpload, readPart } from './read-upload.ts'
import { capabilities, uploadHeaders } from './upload-headers.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<UploadsContext, 'uploads'> {}
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route is about uploads that can be continued: every answer says which tus it speaks, and OPTIONS what it can do. */
    resumable?: true
  }
  interface FastifyRequest {
    /**
     * The upload that a request creates.
     *
     * @throws InvalidUpload, TusVersionNotSupported
     */
    newUpload(): NewUpload
    /**
     * The bytes with which it goes on with an upload.
     *
     * @throws InvalidUpload, TusVersionNotSupported
     */
    uploadPart(): Part
  }
  interface FastifyReply {
    /** Says how far an upload is, in the headers of both protocols. */
    describeUpload(upload: UploadState): FastifyReply
  }
}

/** Uploads that can be continued: tus 1.0, and the draft of the IETF, as two ways to say the same. */
export default fp(
  async (app) => {
    app.addContext({ uploads: { digests: new Digests(), count: countUploads(app.metrics) } })
    const maxSize = app.config.files.max_size

    app.addHook('onRoute', (route) => {
      if (!route.config?.resumable) return
      route.config.optionsHeaders = capabilities(maxSize)
      route.preHandler = [sayVersion, ...[route.preHandler ?? []].flat()]
    })

    app.decorateRequest('newUpload', function (this: FastifyRequest) {
      return readNewUpload(this)
    })
    app.decorateRequest('uploadPart', function (this: FastifyRequest) {
      return readPart(this)
    })
    app.decorateReply('describeUpload', function (this: FastifyReply, upload) {
      return this.headers(uploadHeaders(upload, maxSize))
    })
  },
  { name: 'uploads', dependencies: ['context', 'metrics', 'tenancy'] },
)

const sayVersion: preHandlerHookHandler = (_request, reply, done) => {
  reply.headers({ 'tus-resumable': TUS_VERSION, 'tus-version': TUS_VERSION })
  done()
}
