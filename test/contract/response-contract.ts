import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { OpenAPIV3_1 } from 'openapi-types'
import { documentInfo } from '#plugins/api/openapi/document-info.ts'

type Operation = OpenAPIV3_1.OperationObject
type Response = OpenAPIV3_1.ResponseObject

/** A response as it is sent, but for its framing. */
export interface SentResponse {
  /** undefined for what has no operation: unknown routes, wrong methods, the docs' pages. */
  operationId: string | undefined
  status: number
  headers: Readonly<Record<string, unknown>>
  body: string
  /** Before the paths of all that clients are led to. */
  publicPath?: string
}

const PROBLEM = 'application/problem+json'

/** Checks responses against the OpenAPI document. */
export class ResponseContract {
  readonly #operations = new Map<string, { pointer: string; operation: Operation }>()
  readonly #headers: NonNullable<OpenAPIV3_1.ComponentsObject['headers']>
  readonly #responses: NonNullable<OpenAPIV3_1.ComponentsObject['responses']>
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  readonly #validators = new Map<string, ValidateFunction>()

  constructor(document: OpenAPIV3_1.Document) {
    formats.default(this.#ajv)
    this.#headers = document.components?.headers ?? {}
    this.#responses = document.components?.responses ?? {}
    this.#ajv.addSchema({ ...document, $id: 'document' })
    for (const [path, item] of Object.entries(document.paths ?? {})) {
      for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
        const operation = item?.[method]
        if (operation?.operationId === undefined) continue
        const pointer = `/paths/${escapePointer(path)}/${method}`
        this.#operations.set(operation.operationId, { pointer, operation })
      }
    }
  }

  /** Returns what is wrong with a response; nothing if it is as the document says. */
  violations(sent: SentResponse): string[] {
    const violations = general(sent)
    if (sent.operationId === undefined) {
      // People get a page for a path that does not exist, or a link that was altered.
      const isPage = [400, 404].includes(sent.status) && mediaType(sent) === 'text/html'
      if (sent.status >= 400 && !isPage) violations.push(...this.#problem(sent))
      return violations
    }
    const found = this.#operations.get(sent.operationId)
    if (!found) return [...violations, 'the operation is not in the document']
    const declared = found.operation.responses?.[String(sent.status)]
    const response =
      declared && '$ref' in declared ? this.#responses[declared.$ref.split('/').at(-1) ?? ''] : declared
    if (!response || '$ref' in response) return [...violations, 'the status is not documented']
    return [
      ...violations,
      ...this.#missingHeaders(response, sent),
      ...this.#content(found.pointer, response, sent),
    ]
  }

  #missingHeaders(response: Response, { headers }: SentResponse): string[] {
    return Object.entries(response.headers ?? {})
      .filter(([name, header]) => headers[name] === undefined && this.#isRequired(header))
      .map(([name]) => `no ${name}`)
  }

  #isRequired(header: OpenAPIV3_1.HeaderObject | OpenAPIV3_1.ReferenceObject): boolean {
    if (!('$ref' in header)) return header.required === true
    const component = this.#headers[header.$ref.split('/').at(-1) ?? '']
    return component !== undefined && this.#isRequired(component)
  }

  #content(operation: string, response: Response, sent: SentResponse): string[] {
    const type = mediaType(sent)
    const types = Object.keys(response.content ?? {})
    if (types.length === 0) return sent.body === '' ? [] : ['a body, where the document has none']
    // The content of a file, of whatever type it is.
    if (types.includes('*/*')) return []
    // Browsers get a page for a link that does not work.
    if (type === 'text/html' && sent.status >= 400 && sent.operationId === 'getSharedFile') return []
    if (!types.includes(type)) return [`content type ${type}, documented ${types.join(', ')}`]
    if (type === PROBLEM) return [...this.#problem(sent), ...undocumentedCode(response, sent)]
    const pointer = `${operation}/responses/${sent.status}/content/${escapePointer(type)}/schema`
    return this.#validate(pointer, type === 'application/json' ? parse(sent.body) : sent.body)
  }

  #problem(sent: SentResponse): string[] {
    const type = mediaType(sent)
    if (type !== PROBLEM) return [`an error of content type ${type}`]
    const problem = parse(sent.body)
    const invalid = this.#validate('/components/schemas/Problem', problem)
    if (invalid.length > 0 || !isObject(problem)) return invalid
    return [
      ...(problem['status'] === sent.status ? [] : ['a problem with another status']),
      ...(problem['request_id'] === sent.headers['x-request-id']
        ? []
        : ['a problem with another request id']),
    ]
  }

  #validate(pointer: string, value: unknown): string[] {
    const validate = this.#validators.get(pointer) ?? this.#ajv.compile({ $ref: `document#${pointer}` })
    this.#validators.set(pointer, validate)
    if (validate(value)) return []
    const { errors } = validate
    return (errors ?? []).map((error) => {
      return `body${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`
    })
  }
}

/** Rules for every response. */
function general({ status, headers, publicPath = '' }: SentResponse): string[] {
  return [
    ...(typeof headers['x-request-id'] === 'string' ? [] : ['no x-request-id']),
    ...(headers['x-content-type-options'] === 'nosniff' ? [] : ['no x-content-type-options']),
    ...(status < 400 || headers['cache-control'] === 'no-store' ? [] : ['an error that can be cached']),
    ...(status !== 401 || 'www-authenticate' in headers ? [] : ['401 without www-authenticate']),
    ...(status !== 201 || leadsTo(`${publicPath}/api/`, headers['location'])
      ? []
      : [`a location that is not below ${publicPath}/api/`]),
    ...(status !== 405 || 'allow' in headers ? [] : ['405 without allow']),
  ]
}

function leadsTo(beginning: string, location: unknown): boolean {
  return location === undefined || String(location).startsWith(beginning)
}

/** The examples of an error response name every code that it can have. */
function undocumentedCode(response: Response, { body }: SentResponse): string[] {
  const problem = parse(body)
  const code = isObject(problem) ? String(problem['code']) : ''
  const documented = Object.keys(response.content?.[PROBLEM]?.examples ?? {})
  return documented.includes(code) ? [] : [`the code ${code} is not documented for this operation`]
}

function mediaType({ headers }: SentResponse): string {
  return String(headers['content-type'] ?? 'none').split(';', 1)[0] ?? ''
}

function escapePointer(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** By documents, and by what they follow from. */
const contracts = new Map<string, ResponseContract>()

/**
 * Makes the application report each of its responses that is not as its own document says. To be called by
 * an `extend` plugin. Not seen: what is sent when there is no route yet (bad URLs, broken HTTP), and streams.
 *
 * @param hasOwnRoutes whether it has routes of the test's own; the document of others follows from which routes there
 *   are, and with which errors; it is not made again, which takes 100 ms
 */
export function watchResponses(
  app: FastifyInstance,
  report: (violation: string) => void,
  hasOwnRoutes: boolean,
): void {
  let contract: ResponseContract | undefined
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url, schema, config }) => {
    if (schema?.operationId === undefined) return
    const errors = config?.errors?.map(({ name }) => name) ?? []
    routes.push([method, url, schema.operationId, ...errors].join(' '))
  })
  app.addHook('onSend', async (request, reply, payload) => {
    if (!isText(payload)) return
    contract ??= contractOf(app, hasOwnRoutes ? '' : JSON.stringify([documentInfo(app), routes]))
    for (const violation of contract.violations(sentResponse(request, reply, payload))) {
      report(`${request.method} ${request.url.slice(0, 200)} ${reply.statusCode}: ${violation}`)
    }
  })
}

function contractOf(app: FastifyInstance, origin: string): ResponseContract {
  const known = contracts.get(origin)
  if (known) return known
  const document = app.swagger()
  if (!isDocument(document)) throw new TypeError('the document is not OpenAPI 3.1')
  const key = JSON.stringify(document)
  const contract = contracts.get(key) ?? new ResponseContract(document)
  contracts.set(key, contract)
  if (origin !== '') contracts.set(origin, contract)
  return contract
}

function isDocument(document: object): document is OpenAPIV3_1.Document {
  return 'openapi' in document && String(document.openapi).startsWith('3.1.')
}

function isText(payload: unknown): payload is string | Buffer | null | undefined {
  return typeof payload === 'string' || payload === null || payload === undefined || Buffer.isBuffer(payload)
}

function sentResponse(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: string | Buffer | null | undefined,
) {
  return {
    operationId: request.is404 ? undefined : request.routeOptions.schema?.operationId,
    status: reply.statusCode,
    headers: reply.getHeaders(),
    publicPath: request.server.publicPath,
    body: payload?.toString() ?? '',
  }
}
