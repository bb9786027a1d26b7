import { type Document, member, operationsOf, resolved, type Schema } from '#test/contract/document.ts'

/** A parameter of an operation. */
export interface Parameter {
  in: string
  name: string
  required: boolean
  schema: Schema
}

/** The document's description of an operation's requests. */
export interface FuzzedOperation {
  id: string
  method: string
  /** With `{name}` for path parameters. */
  path: string
  /** Whether it wants an access token or a key. */
  secured: boolean
  /** Whether a key can do it, and nobody else. */
  onlyByKey: boolean
  /** Whether it may compute a password hash, which takes more time than all else. */
  hashes: boolean
  parameters: readonly Parameter[]
  /** Whether it answers with a stream that goes on for minutes. */
  streams: boolean
  /** Whether its body is bytes. */
  takesBytes: boolean
  /** Schema of the JSON body; undefined if it takes none. */
  body: Schema | undefined
}

/** Every operation of the document, read for making requests. */
export function fuzzedOperations(document: Document): FuzzedOperation[] {
  return operationsOf(document).map(({ path, method, operation }) => {
    const refused = resolved(document, member(operation, 'responses', '503'))
    const unavailable = member(refused, 'content', 'application/problem+json', 'examples')
    const takes = (scheme: string) => (operation.security ?? []).some((requirement) => scheme in requirement)
    return {
      id: operation.operationId,
      method: method.toUpperCase(),
      path,
      secured: takes('accessToken') || takes('apiKey'),
      onlyByKey: takes('apiKey') && !takes('accessToken'),
      hashes: unavailable !== undefined && 'password_queue_full' in unavailable,
      parameters: (operation.parameters ?? []).map((parameter) => readParameter(document, parameter)),
      streams: member(operation, 'responses', '200', 'content', 'text/event-stream') !== undefined,
      takesBytes: member(operation, 'requestBody', 'content', 'application/octet-stream') !== undefined,
      body: member(operation, 'requestBody', 'content', 'application/json', 'schema'),
    }
  })
}

function readParameter(document: Document, given: unknown): Parameter {
  const parameter = resolved(document, given)
  return {
    in: String(parameter?.['in']),
    name: String(parameter?.['name']),
    required: parameter?.['required'] === true,
    schema: member(parameter, 'schema') ?? {},
  }
}
