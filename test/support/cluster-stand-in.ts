import { CentrifugoApi } from '#services/realtime/centrifugo/api.ts'
import type { Owner } from './database.ts'
import { type HttpReceiver, startReceiver } from './http-receiver.ts'

const KEY = 'the key of a test'

/** A method of the API, with the request. */
type Asked = [method: string, request: unknown]

/** A server in the place of a Centrifugo cluster, which answers as a test says. */
export interface ClusterStandIn extends Pick<HttpReceiver, 'received'> {
  /** Where it is, as a service is told. */
  readonly url: string
  readonly key: string
  readonly api: CentrifugoApi
  /** Everything that was asked but for signs of life, oldest first. */
  asked(): Asked[]
  /** The commands of each batch. */
  batches(): unknown[][]
  /** Has a method answered so from now on; a function is called with the request. */
  on(method: string, answer: object | ((request: { commands: unknown[] }) => object)): void
  /** Has everything answered with a status and a text from now on; undefined ends that. */
  fail(status: number | undefined, text?: string, headers?: Record<string, string>): void
}

/** Starts one; it ends with `t`, and does all commands until it is told otherwise. */
export async function startClusterStandIn(t: Owner): Promise<ClusterStandIn> {
  const receiver = await startReceiver(t)
  const { received, port } = receiver
  const url = `http://127.0.0.1:${port}`
  const answers = new Map<string, object | ((request: { commands: unknown[] }) => object)>([
    ['info', { result: {} }],
    ['batch', ({ commands }: { commands: unknown[] }) => ({ replies: commands.map(() => ({})) })],
  ])
  let failure: { status: number; text: string; headers: Record<string, string> } | undefined
  receiver.answer((response, { url: path, body }) => {
    if (failure) {
      response.writeHead(failure.status, failure.headers).end(failure.text)
      return
    }
    const answer = answers.get(path.replace('/api/', ''))
    const found = typeof answer === 'function' ? answer(JSON.parse(body)) : answer
    response.writeHead(found ? 200 : 404).end(JSON.stringify(found ?? {}))
  })
  const asked = () =>
    received
      .filter((request) => request.url !== '/api/info')
      .map((request): Asked => [request.url.replace('/api/', ''), JSON.parse(request.body)])
  return {
    url,
    key: KEY,
    api: new CentrifugoApi({ url, key: KEY }),
    received,
    asked,
    batches: () =>
      received.filter((request) => request.url === '/api/batch').map(({ body }) => JSON.parse(body).commands),
    on: (method, answer) => answers.set(method, answer),
    fail(status, text = '', headers = {}) {
      failure = status === undefined ? undefined : { status, text, headers }
    },
  }
}
