import { Agent, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http'
import { v7 as uuidv7 } from 'uuid'

/** An answer of a real server. */
export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface CallOptions extends RequestOptions {
  /** Sent as JSON. */
  json?: unknown
  token?: string
}

/** Milliseconds after which an answer counts as never coming; far above every bound of the service. */
const NEVER = 180_000

/** Sends a request, on a connection of its own unless given an agent. */
export function call(url: string, { json, token, ...options }: CallOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...options.headers,
    }
    const outgoing = request(url, { agent: new Agent(), timeout: NEVER, ...options, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    outgoing.on('error', reject)
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer came')))
    outgoing.end(json === undefined ? undefined : JSON.stringify(json))
  })
}

/** A user who registered and signed in over HTTP. */
export interface RemoteUser {
  id: string
  email: string
  username: string
  token: string
}

export const PASSWORD = 'correct horse battery staple'

/** The body of a registration that no other has. */
export function registration() {
  const unique = uuidv7().slice(-12)
  return { email: `${unique}@example.com`, username: unique, password: PASSWORD }
}

/** Registers a user and signs it in. */
export async function signUpRemote(url: string): Promise<RemoteUser> {
  const json = registration()
  const created = await call(`${url}/api/v1/users`, { method: 'POST', json })
  const login = { email: json.email, password: PASSWORD }
  const signedIn = await call(`${url}/api/v1/auth/login`, { method: 'POST', json: login })
  if (created.status !== 201 || signedIn.status !== 200) throw new Error(created.text + signedIn.text)
  return {
    id: JSON.parse(created.text).id,
    email: json.email,
    username: json.username,
    token: JSON.parse(signedIn.text).access_token,
  }
}
