import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { RequestTemplate } from '../load/load.ts'

const Call = Type.Object(
  {
    method: Type.Optional(Type.String()),
    path: Type.String({ pattern: '^/' }),
    body: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: false },
)

const Operation = Type.Object(
  {
    ...Call.properties,
    /** Who calls it; nobody who is signed in when absent. */
    as: Type.Optional(Type.Union([Type.Literal('user'), Type.Literal('admin')])),
  },
  { additionalProperties: false },
)

/** A server to be measured: how it is started, signed in to and called. docs/performance.md explains it. */
export const Target = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    /** How the run starts it; one that runs already is named by --url. */
    start: Type.Optional(
      Type.Object(
        {
          command: Type.Array(Type.String(), { minItems: 1 }),
          env: Type.Optional(Type.Record(Type.String(), Type.String())),
          cwd: Type.Optional(Type.String()),
          ready: Type.String({ pattern: '^/' }),
        },
        { additionalProperties: false },
      ),
    ),
    /** Makes the accounts that sign in, where the table is not the run's own. */
    sign_up: Type.Optional(Call),
    /** `token` is the JSON pointer of the access token in the answer. */
    sign_in: Type.Optional(
      Type.Object(
        { ...Call.properties, token: Type.String({ pattern: '^/' }) },
        { additionalProperties: false },
      ),
    ),
    /** An account that may list users. */
    admin: Type.Optional(
      Type.Object({ email: Type.String(), password: Type.String() }, { additionalProperties: false }),
    ),
    /** Sent with every request; `{token}` is the access token. */
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    operations: Type.Partial(
      Type.Object({
        live: Operation,
        me: Operation,
        list: Operation,
        list_of_100: Operation,
        update: Operation,
        create: Operation,
        login: Operation,
        refresh: Operation,
        project: Operation,
        projects: Operation,
        create_project: Operation,
        create_api_key: Operation,
      }),
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
)
export type Target = Static<typeof Target>
export type OperationName = keyof Target['operations']

/** Values for `{name}` in texts of a target; `{n}` stays, because it differs in each request. */
export type Values = Readonly<Record<string, string>>

/**
 * Checks a description.
 *
 * @throws Error that names the first mistake
 */
export function parseTarget(value: unknown): Target {
  const mistake = Value.Errors(Target, value).First()
  if (mistake) throw new Error(`The target's ${mistake.path || 'description'} is wrong: ${mistake.message}`)
  return Value.Cast(Target, value)
}

/** The request of a call, its values filled in. */
export function requestFor(target: Target, call: Static<typeof Call>, values: Values): RequestTemplate {
  const { method = 'GET', path, body } = call
  // Without somebody who is signed in, what is for the token is left out.
  const headers = Object.entries(target.headers ?? {})
    .map(([name, value]) => [name, fill(value, values)] as const)
    .filter(([, value]) => !value.includes('{token}'))
  return {
    method,
    path: fill(path, values),
    headers: {
      ...(values['token'] === undefined ? {} : { authorization: `Bearer ${values['token']}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(headers),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(fillAll(body, values)) }),
  }
}

/** Replaces each `{name}` that has a value. */
export function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}

function fillAll(value: unknown, values: Values): unknown {
  if (typeof value === 'string') return fill(value, values)
  if (Array.isArray(value)) return value.map((item) => fillAll(item, values))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fillAll(inner, values)]))
}

/** The text at a JSON pointer (RFC 6901), or undefined. */
export function textAt(value: unknown, pointer: string): string | undefined {
  let found = value
  for (const segment of pointer.split('/').slice(1)) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~')
    found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined
  }
  return typeof found === 'string' ? found : undefined
}
