import { randomBytes } from 'node:crypto'
import { usageOf } from '../system/process-usage.ts'
import { requestFor, type Target } from '../targets/target.ts'
import { PASSWORD } from './seed.ts'
import { type Account, type Subject, send, signIn } from './subject.ts'

/** Somebody else's server that runs already. */
export interface Host {
  readonly target: Target
  readonly origin: string
  /** Its process, when it is on this machine. */
  readonly pid?: number | undefined
}

/** Signs in to it. Its table is its own, so an account is made there first where the target says how. */
export async function visit({ target, origin, pid }: Host): Promise<Subject> {
  const { admin } = target
  return {
    target,
    isOwn: false,
    server: {
      origin,
      usage: async () => (pid === undefined ? undefined : usageOf(pid)),
      // Its log is its owner's.
      emptyLog: async () => undefined,
    },
    admin: admin && target.sign_in ? await signIn(origin, target, admin) : undefined,
    users: await makeUser(target, origin),
  }
}

async function makeUser(target: Target, origin: string): Promise<Account[]> {
  if (!target.sign_in || !target.sign_up) return []
  const username = `guest${randomBytes(6).toString('hex')}`
  const account = { email: `${username}@bench.example.com`, password: PASSWORD }
  await send(origin, requestFor(target, target.sign_up, { ...account, username }))
  return [await signIn(origin, target, account)]
}
