import type { OpenAPIV3, OpenAPIV3_1 } from 'openapi-types'

type Parameters = Record<string, OpenAPIV3_1.ParameterObject>

/** Headers of requests about uploads, as tus has them. docs/api/uploads.md says how the draft of the IETF differs. */
export const RESUMABLE_PARAMETERS: Parameters = {
  TusResumable: {
    name: 'Tus-Resumable',
    in: 'header',
    required: true,
    description: 'The version of tus. The draft of the IETF has `Upload-Complete` in its place.',
    schema: { type: 'string', enum: ['1.0.0'] },
  },
  UploadLength: {
    name: 'Upload-Length',
    in: 'header',
    required: true,
    description: 'Bytes of the whole content; `Upload-Defer-Length: 1` in its place says them later.',
    schema: { type: 'integer', minimum: 0 },
  },
  UploadMetadata: {
    name: 'Upload-Metadata',
    in: 'header',
    description:
      'Keys, each with a value in base64, with commas between. `filename` is the name of the file.',
    schema: { type: 'string', maxLength: 4096 },
  },
  UploadOffset: {
    name: 'Upload-Offset',
    in: 'header',
    required: true,
    description: 'Where the bytes go on, as the last answer said it.',
    schema: { type: 'integer', minimum: 0 },
  },
  UploadChecksum: {
    name: 'Upload-Checksum',
    in: 'header',
    description: '`sha256` or `sha1`, a space, and the digest of the body in base64.',
    schema: { type: 'string', maxLength: 80 },
  },
}

const NAMES: Readonly<Record<string, readonly string[]>> = {
  POST: ['TusResumable', 'UploadLength', 'UploadMetadata', 'UploadChecksum'],
  PATCH: ['TusResumable', 'UploadOffset', 'UploadChecksum'],
}

const BODY: OpenAPIV3.RequestBodyObject = {
  description: 'The bytes, as they are.',
  content: {
    'application/offset+octet-stream': { schema: { type: 'string', format: 'binary' } },
  },
}

/** Adds to an operation the headers and the body of uploads that can be continued. */
export function describeResumable(operation: OpenAPIV3.OperationObject, method: string): void {
  const names = NAMES[method] ?? []
  const parameters = names.map((name) => ({ $ref: `#/components/parameters/${name}` }))
  operation.parameters = [...(operation.parameters ?? []), ...parameters]
  if (names.length > 0) operation.requestBody = BODY
  for (const response of Object.values(method === 'DELETE' ? {} : (operation.responses ?? {}))) {
    if (!('$ref' in response)) response.headers = { ...response.headers, ...OFFSET }
  }
}

const OFFSET = { 'upload-offset': { $ref: '#/components/headers/UploadOffset' } }
