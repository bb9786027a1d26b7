import { signal } from '@preact/signals'
import type { PanelTokens } from '#schemas/authentication.ts'
import type { Problem } from '#schemas/problem.ts'
import { problemOf } from './refused.ts'

/** Who is signed in in this tab. The refresh token is in a cookie, which no script can read. */
export interface Session {
  readonly token: string
  /** Times by `Date.now()`. */
  readonly expiresAt: number
  readonly renewedAt: number
  readonly user: PanelTokens['user']
}

/** The session; null when nobody is signed in, undefined until that is known. */
export const session = signal<Session | null | undefined>(undefined)

/** Why somebody has to sign in again. */
export const farewell = signal('')

/** The service ends a session that was not refreshed for this time. */
const IDLE_TIMEOUT_MS = 15 * 60_000
/** A used panel refreshes its session this often, so that the idle time counts from the last use. */
const RENEWAL_MS = 60_000
/** An access token that ends sooner than this is not used any more. */
const MARGIN_MS = 30_000
const CHECK_INTERVAL_MS = 5000

const URL_OF_SESSION = 'session'
const LOCK = 'groundwork-admin-session'
const channel = new BroadcastChannel(LOCK)
let lastUse = Date.now()

/** Finds the session that another page of this browser has left, if it is still open. */
export async function startSession(): Promise<void> {
  if (!isSecureContext)
    return leave('Open the panel over https: over http it works on the same machine only.')
  for (const type of ['pointerdown', 'keydown'])
    addEventListener(type, () => {
      lastUse = Date.now()
    })
  channel.addEventListener('message', ({ data }: MessageEvent<Session | null>) => {
    if (data === null) leave('You signed out in another tab.')
    else session.value = data
  })
  setInterval(() => void keepSession(), CHECK_INTERVAL_MS)
  try {
    await renewSession()
  } catch {
    leave('The service did not answer. Load the page again, or sign in.')
  }
}

/** Signs in; returns the problem that keeps somebody from it. */
export async function signIn(email: string, password: string): Promise<Problem | undefined> {
  const response = await request('POST', { email, password })
  if (!response.ok) return problemOf(response)
  await take(response)
  return undefined
}

/** Signs out, in all tabs. */
export async function signOut(): Promise<void> {
  await navigator.locks.request(LOCK, () => request('DELETE'))
  channel.postMessage(null)
  leave('You are signed out.')
}

/**
 * Returns an access token that is good for a while, or undefined when nobody is signed in any more.
 *
 * @param refused a token that the service did not accept
 */
export async function accessToken(refused?: string): Promise<string | undefined> {
  const current = session.value
  const isGood = current && current.token !== refused && current.expiresAt - Date.now() > MARGIN_MS
  if (!isGood) await renewSession(refused)
  return session.value?.token
}

/**
 * Whether nobody has used the panel since its session was refreshed, and it is about to end: what a page does by itself must
 * not keep it open.
 */
export function isIdle(): boolean {
  const current = session.value
  return !current || (lastUse <= current.renewedAt && current.expiresAt - Date.now() <= MARGIN_MS)
}

/** Only one tab refreshes at a time; the others then have its answer, and ask for no other. */
async function renewSession(refused?: string): Promise<void> {
  const before = session.value?.renewedAt
  await navigator.locks.request(LOCK, async () => {
    const current = session.value
    if (current && current.renewedAt !== before && current.token !== refused) return
    const response = await request('PUT', {})
    if (response.status === 200) return take(response)
    // Nobody was signed in, or the cookie has gone with its time.
    if (response.status === 204) return leave(session.value ? 'Your session has ended. Sign in again.' : '')
    if (response.status === 401) return leave('Your session has ended. Sign in again.')
    throw new Error(`The session could not be renewed: the service answered ${response.status}.`)
  })
}

async function take(response: Response): Promise<void> {
  const { access_token, expires_in, user }: PanelTokens = await response.json()
  const now = Date.now()
  const renewed = { token: access_token, expiresAt: now + expires_in * 1000, renewedAt: now, user }
  session.value = renewed
  farewell.value = ''
  channel.postMessage(renewed)
}

function leave(reason: string): void {
  session.value = null
  farewell.value = reason
}

/** Refreshes the session of a panel that is in use, and forgets that of one that is not. */
async function keepSession(): Promise<void> {
  const current = session.value
  if (!current) return
  const now = Date.now()
  if (now - current.renewedAt > IDLE_TIMEOUT_MS)
    return leave('You were signed out after 15 minutes without use.')
  const isUsed = lastUse > current.renewedAt
  if (!isUsed || now - current.renewedAt < RENEWAL_MS) return
  // The next look tries again, and so does the next request.
  await renewSession().catch(() => undefined)
}

function request(method: string, body?: object): Promise<Response> {
  const content = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return fetch(URL_OF_SESSION, { method, ...content })
}
