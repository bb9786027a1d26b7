import type { Listener } from './define-channel.ts'

/** Somebody who may connect. */
export interface Admission {
  readonly listener: Listener
  /** Milliseconds since 1970 until which the credential says so; infinite for a key, which lasts until it is ended. */
  readonly expiresAt: number
}

/** Tells who sends an access token or an API key. */
export interface Doorman {
  admit(credential: string): Promise<Admission | 'expired' | 'invalid' | 'ended'>
}
