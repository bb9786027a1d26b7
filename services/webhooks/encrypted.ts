import { EncryptedColumn } from '#lib/encryption/encrypted-column.ts'

const endpoints = { table: 'webhook_endpoints', key: 'id' }

/** Secrets with which messages are signed. */
export const secretColumn = new EncryptedColumn({ ...endpoints, column: 'secret' })
export const previousSecretColumn = new EncryptedColumn({ ...endpoints, column: 'previous_secret' })
