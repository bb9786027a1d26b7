import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { TestUser } from '#test/support/helper.ts'

/** Parts that a flow may use: somebody who is signed in and does not have the address. */
export interface FlowWorld {
  asker: TestUser
  /** A name that nobody has. */
  username: string
  /** The password of the account that has the address, if one has. */
  password: string
  send(options: InjectOptions & { as?: TestUser }): Promise<LightMyRequestResponse>
  /** Has the jobs done, and returns the token of the link that was mailed to an address of the asker's. */
  linkTo(email: string): Promise<string>
}

export type Mode = 'open' | 'verify' | 'closed'

const ALL: readonly Mode[] = ['open', 'verify']

/**
 * Something that anybody, or any user, can do with an address. Nothing that the asker can see or do afterwards may
 * depend on whether somebody has the address.
 */
export interface Flow {
  /** The operation that is given the address. */
  operation: string
  /** Modes of registration to run it in; `verify` alone unless said otherwise. */
  modes?: readonly Mode[]
  /** For accounts that may not sign in only. */
  shutOut?: boolean
  run(world: FlowWorld, email: string): Promise<LightMyRequestResponse[]>
}

const PASSWORD = 'correct horse battery staple'
const WRONG = 'quite another sentence'

const post = (path: string, payload: object, headers = {}): InjectOptions => ({
  method: 'POST',
  url: `/api/v1/${path}`,
  payload,
  headers,
})

/** Does it again and again, past the limits of mails and of guesses. */
async function often(send: () => Promise<LightMyRequestResponse>): Promise<LightMyRequestResponse[]> {
  const responses = []
  for (let turn = 0; turn < 4; turn++) responses.push(await send())
  return responses
}

function changeEmail({ asker, send }: FlowWorld, email: string, more = {}) {
  const payload = { email, current_password: PASSWORD, ...more }
  return send({ method: 'PATCH', url: '/api/v1/users/me', as: asker, payload })
}

/** Every flow that is given an address. A new one is a line here. */
export const FLOWS: Readonly<Record<string, Flow>> = {
  'login with a wrong password': {
    operation: 'login',
    modes: ALL,
    run: async ({ send }, email) => [await send(post('auth/login', { email, password: WRONG }))],
  },
  'login with wrong passwords, past the limit': {
    operation: 'login',
    run: ({ send }, email) => often(() => send(post('auth/login', { email, password: WRONG }))),
  },
  'login with the right password of an account that may not sign in': {
    operation: 'login',
    shutOut: true,
    modes: ALL,
    run: async ({ send, password }, email) => [await send(post('auth/login', { email, password }))],
  },
  'forgot password': {
    operation: 'forgotPassword',
    modes: ALL,
    run: async ({ send }, email) => [await send(post('auth/password/forgot', { email }))],
  },
  'forgot password, past the limit': {
    operation: 'forgotPassword',
    run: ({ send }, email) => often(() => send(post('auth/password/forgot', { email }))),
  },
  'resend the verification': {
    operation: 'resendVerification',
    modes: ALL,
    run: async ({ send }, email) => [await send(post('auth/email/resend', { email }))],
  },
  'resend the verification, past the limit': {
    operation: 'resendVerification',
    run: ({ send }, email) => often(() => send(post('auth/email/resend', { email }))),
  },
  register: {
    operation: 'createUser',
    modes: ['verify', 'closed'],
    run: async ({ send, username }, email) => [
      await send(post('users', { email, username, password: PASSWORD })),
    ],
  },
  'register with an idempotency key, twice': {
    operation: 'createUser',
    modes: ['verify', 'closed'],
    run: async ({ send, username }, email) => {
      const create = () =>
        send(post('users', { email, username, password: PASSWORD }, { 'idempotency-key': username }))
      return [await create(), await create()]
    },
  },
  'register with a password that is refused': {
    operation: 'createUser',
    modes: ALL,
    run: async ({ send, username }, email) => [
      await send(post('users', { email, username, password: 'password' })),
    ],
  },
  'register, past the limit of mails, then change an address': {
    operation: 'createUser',
    modes: ['verify', 'closed'],
    run: async (world, email) => [
      ...(await often(() =>
        world.send(post('users', { email, username: world.username, password: PASSWORD })),
      )),
      await changeEmail(world, email),
    ],
  },
  'register, then resend the verification': {
    operation: 'resendVerification',
    run: async ({ send, username }, email) => [
      await send(post('users', { email, username, password: PASSWORD })),
      await send(post('auth/email/resend', { email })),
    ],
  },
  'change the own address': {
    operation: 'updateCurrentUser',
    modes: ALL,
    run: async (world, email) => [await changeEmail(world, email)],
  },
  'change the own address and name': {
    operation: 'updateCurrentUser',
    run: async (world, email) => [await changeEmail(world, email, { username: world.username })],
  },
  'change the own address, past the limit': {
    operation: 'updateCurrentUser',
    run: (world, email) => often(() => changeEmail(world, email)),
  },
  'change the own address with a wrong password': {
    operation: 'updateCurrentUser',
    run: async (world, email) => [await changeEmail(world, email, { current_password: WRONG })],
  },
  'change the own address, then use the link of an older change': {
    operation: 'updateCurrentUser',
    run: async (world, email) => {
      const own = `${world.username}@own.example`
      const first = await changeEmail(world, own)
      const token = await world.linkTo(own)
      const second = await changeEmail(world, email)
      return [first, second, await world.send(post('auth/email/verify', { token }))]
    },
  },
  'ask for mails past the limit, then change the own address and use the link of an older change': {
    operation: 'updateCurrentUser',
    run: async (world, email) => {
      const own = `${world.username}@own.example`
      const first = await changeEmail(world, own)
      const token = await world.linkTo(own)
      const asked = await often(() => world.send(post('auth/email/resend', { email })))
      const second = await changeEmail(world, email)
      return [first, ...asked, second, await world.send(post('auth/email/verify', { token }))]
    },
  },
  'change the own address by id': {
    operation: 'updateUser',
    run: async ({ asker, send }, email) => [
      await send({
        method: 'PATCH',
        url: `/api/v1/users/${asker.user.id}`,
        as: asker,
        payload: { email, current_password: PASSWORD },
      }),
    ],
  },
  'change the address of somebody else': {
    operation: 'updateUser',
    run: async ({ asker, send }, email) => [
      await send({
        method: 'PATCH',
        url: '/api/v1/users/01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90',
        as: asker,
        payload: { email },
      }),
    ],
  },
  'invite into an organization': {
    operation: 'createInvitation',
    run: async ({ asker, send }, email) => {
      const made = await send({ ...post('organizations', { name: 'New' }), as: asker })
      const invite = {
        ...post(`organizations/${made.json().id}/invitations`, { email, role: 'member' }),
        as: asker,
      }
      return [made, await send(invite), await send(invite)]
    },
  },
  'invite as a user': {
    operation: 'inviteUser',
    run: async ({ asker, send, username }, email) => [
      await send({ ...post('users/invitations', { email, username }), as: asker }),
    ],
  },
  'invite without a token': {
    operation: 'inviteUser',
    run: async ({ send, username }, email) => [await send(post('users/invitations', { email, username }))],
  },
  'search users': {
    operation: 'listUsers',
    run: async ({ asker, send }, email) => [
      await send({ url: '/api/v1/users', query: { q: email }, as: asker }),
    ],
  },
}
