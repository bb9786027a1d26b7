import type { Encryption } from '#lib/encryption/encryption.ts'
import type { WebhookContext } from './context.ts'
import { previousSecretColumn, secretColumn } from './encrypted.ts'
import { WebhooksNotConfigured } from './errors.ts'
import type { StoredSecrets } from './queries.ts'

/** @throws WebhooksNotConfigured without `encryption.keys` */
export function encryptionOf({ encryption }: Pick<WebhookContext, 'encryption'>): Encryption {
  if (encryption === undefined) throw new WebhooksNotConfigured()
  return encryption
}

/**
 * Returns the secrets that sign an endpoint's messages now, the newest first.
 *
 * @throws WebhooksNotConfigured, EncryptionError
 */
export function signingSecrets(
  ctx: Pick<WebhookContext, 'encryption' | 'now'>,
  endpoint: string,
  { secret, previous_secret: previous, previous_secret_expires_at: expiresAt }: StoredSecrets,
): string[] {
  const encryption = encryptionOf(ctx)
  const secrets = [secretColumn.decrypt(encryption, endpoint, secret)]
  const signsToo = expiresAt !== null && Date.parse(expiresAt) > ctx.now().getTime()
  if (previous !== null && signsToo)
    secrets.push(previousSecretColumn.decrypt(encryption, endpoint, previous))
  return secrets
}
