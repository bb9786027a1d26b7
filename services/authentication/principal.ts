import type { User } from '#schemas/users.ts'
import type { ApiKeyCaller } from '#services/api-keys/caller.ts'

/** Who sends a request: a person who is signed in, or a program that has a key. */
export type Principal =
  | {
      readonly kind: 'user'
      readonly user: User
      readonly sessionId: string
      /** The admin who acts in the user's place; null for the user. */
      readonly impersonatorId: string | null
    }
  | { readonly kind: 'api_key'; readonly key: ApiKeyCaller }

/** Returns a text that tells the principal from all others. */
export function principalId(principal: Principal): string {
  return principal.kind === 'user' ? principal.user.id : `api_key:${principal.key.id}`
}
