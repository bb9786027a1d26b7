import type { AdministeredUser } from '#schemas/administered-users.ts'
import { call, type Page } from '../app/api.ts'

/** Returns the id of the account that has an address; undefined when no account has it. */
export async function idOfAddress(address: string, signal?: AbortSignal): Promise<string | undefined> {
  const text = address.trim()
  const query = { q: text, limit: '20' }
  const { data } = await call<Page<AdministeredUser>>('operations/users', {
    query,
    ...(signal && { signal }),
  })
  return data.find(({ email }) => email.toLowerCase() === text.toLowerCase())?.id
}
