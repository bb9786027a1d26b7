import { type HostileCase, post } from '../case.ts'

const USERS = '/api/v1/users'
const CREDENTIALS = { email: 'mallory@example.com', password: 'correct horse battery staple' }

/** Every column of the table of users, with a value that would do harm; the catalogue's test compares them. */
export const COLUMNS: Readonly<Record<string, unknown>> = {
  id: '01997d1c-7b6e-7c3a-9d53-2f6a4c1e8b90',
  email: 'ada@example.com',
  username: 'mallory',
  password_hash: '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAA$AAAA',
  role: 'admin',
  is_active: true,
  created_at: '1970-01-01T00:00:00.000Z',
  updated_at: '9999-12-31T23:59:59.999Z',
  email_verified_at: '2026-01-01T00:00:00.000Z',
}

/** Names that other services give such things. */
const ALIASES: Readonly<Record<string, unknown>> = {
  isAdmin: true,
  is_admin: true,
  admin: true,
  roles: ['admin'],
  Role: 'admin',
  'role ': 'admin',
  'role[]': 'admin',
  'user.role': 'admin',
  user: { role: 'admin' },
  permissions: ['*'],
  scope: 'admin',
  verified: true,
  email_verified: true,
  user_id: '{{admin.id}}',
  session_id: '{{admin.id}}',
  tenant_id: 1,
  $set: { role: 'admin' },
}

interface Target {
  name: string
  /** A request that is right, but for the property that is added. */
  send: (property: Record<string, unknown>) => HostileCase['send']
  /** The columns that it takes. */
  takes: readonly string[]
}

const targets: readonly Target[] = [
  {
    name: 'registering',
    send: (property) => post(USERS, { ...CREDENTIALS, username: 'mallory', ...property }),
    takes: ['email', 'username'],
  },
  {
    name: 'changing oneself',
    send: (property) => post(`${USERS}/me`, property, { method: 'PATCH', as: 'user' }),
    takes: ['email', 'username'],
  },
  {
    name: 'changing oneself by id',
    send: (property) => post(`${USERS}/{{user.id}}`, property, { method: 'PATCH', as: 'user' }),
    takes: ['email', 'username', 'role', 'is_active'],
  },
  {
    name: 'changing somebody as an admin',
    send: (property) => post(`${USERS}/{{other.id}}`, property, { method: 'PATCH', as: 'admin' }),
    takes: ['email', 'username', 'role', 'is_active'],
  },
  {
    name: 'inviting',
    send: (property) =>
      post(
        `${USERS}/invitations`,
        { email: 'mallory@example.com', username: 'mallory', ...property },
        { as: 'admin' },
      ),
    takes: ['email', 'username', 'role'],
  },
  {
    name: 'signing in',
    send: (property) => post('/api/v1/auth/login', { ...CREDENTIALS, ...property }),
    takes: ['email'],
  },
  {
    name: 'changing the password',
    send: (property) =>
      post(
        `${USERS}/me/password`,
        { current_password: '{{user.password}}', new_password: 'another long password', ...property },
        { method: 'PUT', as: 'user' },
      ),
    takes: [],
  },
  {
    name: 'refreshing',
    send: (property) =>
      post('/api/v1/auth/refresh', { refresh_token: '{{user.refresh_token}}', ...property }),
    takes: [],
  },
]

const escapePointer = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')

function refuses({ name, send }: Target, property: string, value: unknown): HostileCase {
  return {
    name: `${name} with ${property}`,
    send: send({ [property]: value }),
    status: 400,
    code: 'validation_failed',
    pointers: [`/body/${escapePointer(property)}`],
  }
}

export const cases: readonly HostileCase[] = [
  ...targets.flatMap((target) =>
    Object.entries(COLUMNS)
      .filter(([column]) => !target.takes.includes(column))
      .map(([column, value]) => refuses(target, column, value)),
  ),
  ...targets
    .slice(1, 2)
    .flatMap((target) => Object.entries(ALIASES).map(([name, value]) => refuses(target, name, value))),
  {
    name: 'a user makes itself an admin',
    send: post(`${USERS}/{{user.id}}`, { role: 'admin' }, { method: 'PATCH', as: 'user' }),
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'a user makes itself active',
    send: post(`${USERS}/{{user.id}}`, { is_active: true }, { method: 'PATCH', as: 'user' }),
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'a user changes an admin',
    send: post(`${USERS}/{{admin.id}}`, { username: 'mallory' }, { method: 'PATCH', as: 'user' }),
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'a role that there is not',
    send: post(`${USERS}/{{other.id}}`, { role: 'superuser' }, { method: 'PATCH', as: 'admin' }),
    status: 400,
    code: 'validation_failed',
    pointers: ['/body/role'],
  },
  {
    name: 'a property beside the query is not a filter',
    send: { path: `${USERS}?password_hash=a`, as: 'admin' },
    status: 400,
    code: 'validation_failed',
    pointers: ['/query/password_hash'],
  },
  {
    name: 'what is shown of users has no hash',
    send: { path: `${USERS}?limit=100`, as: 'admin' },
    status: 200,
    absent: ['password', 'argon2', 'hash', 'email_verified_at'],
  },
]
