import { Type } from '@sinclair/typebox'
import { Choice, Duration, List, Secret, Section, Size, Text } from './kinds.ts'

/** Keys below `jwt`. */
export const Jwt = Section('Access tokens.', {
  algorithm: Choice(['HS256', 'EdDSA'], {
    description:
      'How access tokens are signed, and the only way that is accepted: `HS256` with `secret`, `EdDSA` with `signing_key_file`.',
  }),
  secret: Secret({
    format: 'signing-key',
    description:
      'Key that signs access tokens (HS256) and that others are derived from (cursors, one-time and refresh tokens), so needed with EdDSA too; at least 32 bytes; `openssl rand -base64 48` makes one.',
  }),
  signing_key_file: Type.Optional(
    Text({
      description:
        'Path of the private key (PEM, Ed25519) that signs with EdDSA; `npm run keys -- new` makes one.',
    }),
  ),
  verification_key_files: List({
    format: 'file-path',
    description:
      'Paths of further keys (PEM, Ed25519, public or private) whose tokens are accepted and that `/.well-known/jwks.json` lists: those that are coming, and those that are going.',
  }),
  expires_in: Duration({ minimum: '1s', maximum: '30d', description: 'Lifetime of an access token.' }),
  issuer: Text({ description: 'The `iss` claim, written and required.' }),
  audience: Text({ description: 'The `aud` claim, written and required.' }),
})

const Argon2 = Section(
  'Password hashing with Argon2id. Hashes made with other parameters are renewed at login; those above both these parameters and 64 MiB, 10 passes or 4 lanes count as wrong passwords.',
  {
    memory_cost: Size({ minimum: '19MiB', maximum: '4GiB', description: 'Memory that one hash takes.' }),
    time_cost: Type.Integer({ minimum: 2, maximum: 1000, description: 'Passes over that memory.' }),
    parallelism: Type.Integer({ minimum: 1, maximum: 255, description: 'Lanes of one hash.' }),
    max_queue: Type.Integer({
      minimum: 0,
      maximum: 100_000,
      description: 'Hashes that may wait beyond those running; past it the answer is 503.',
    }),
  },
)

const BreachCheck = Section('Whether a new password is known from a breach.', {
  url: Type.Optional(
    Text({
      format: 'public-url',
      description:
        'A k-anonymity range service: `GET {url}/{prefix}` with the first 5 hex digits of the SHA-1 returns `SUFFIX:COUNT` lines; `https://api.pwnedpasswords.com/range` is one. Without it passwords are not checked.',
    }),
  ),
  timeout: Duration({ maximum: '30s', description: 'Time that the whole answer may take.' }),
  on_error: Choice(['open', 'closed'], {
    description:
      'When the service does not answer as it should: `open` accepts the password, `closed` refuses it with 503.',
  }),
})

/** Lives of things that no timer counts may be longer than a timer's. */
const LONGEST_LIFE = '3650d'

const Session = Section('Sessions: one sign-in and the tokens that follow from it.', {
  idle_timeout: Duration({ maximum: LONGEST_LIFE, description: 'Lifetime of an unused session.' }),
  absolute_timeout: Duration({
    maximum: LONGEST_LIFE,
    description: 'Absolute lifetime of a session.',
  }),
  refresh_grace: Duration({
    minimum: '0s',
    maximum: '10m',
    description:
      'How long a used refresh token still returns the same successor, in case the response was lost; after that it counts as stolen.',
  }),
  max_per_user: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    description:
      'Open sessions of one user. A sign-in beyond them ends those that were used least lately; sessions in which an admin acts for the user do not count.',
  }),
})

const LoginLimit = Section('How many wrong passwords are allowed, over all instances.', {
  per_account: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'Wrong passwords for one email at a login, or in one session.',
  }),
  per_address: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'Wrong passwords from one client address (an IPv6 address counts with its /64).',
  }),
  window: Duration({
    minimum: '1s',
    maximum: '30d',
    description: 'Time from the first wrong password until the count starts again.',
  }),
})

const MailLimit = Section('How many mails anybody can make us send to one address, over all instances.', {
  per_account: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description:
      'Mails for one email; those to reset a password count apart from those about whose the address is.',
  }),
  window: Duration({
    minimum: '1s',
    maximum: '30d',
    description: 'Time from the first of them until the count starts again.',
  }),
})

const OneTimeToken = Section('Life of the links in mails.', {
  verify_lifetime: Duration({ maximum: LONGEST_LIFE, description: 'Links that confirm an address.' }),
  reset_lifetime: Duration({ maximum: LONGEST_LIFE, description: 'Links that reset a password.' }),
  invitation_lifetime: Duration({
    maximum: LONGEST_LIFE,
    description: 'Links by which invited users choose a password.',
  }),
})

/** Keys below `auth`. */
export const Auth = Section('Accounts, passwords and sessions.', {
  registration: Choice(['open', 'verify', 'closed'], {
    description:
      '`open`: anyone gets an account at once. `verify`: anyone, once the address is confirmed by a mailed link. `closed`: only whom an admin invites.',
  }),
  password_words: List({
    format: 'password-word',
    description:
      'Words that no password may hold, in any case: the names of the product, the company, the teams; the user name and the address of its owner are refused anyway.',
  }),
  cache: Type.Boolean({
    description:
      'Cache the identities of signed-in users in memory, and in Redis if there is one, so that requests need no query for them; changes take effect within a second. Without it each request asks the database.',
  }),
  argon2: Argon2,
  breach_check: BreachCheck,
  session: Session,
  login_limit: LoginLimit,
  mail_limit: MailLimit,
  one_time_token: OneTimeToken,
})
