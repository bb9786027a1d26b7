import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

// The JSON form of Centrifugo's client protocol (decision 086), so that its clients work with this service. Only what the
// service answers is described; further properties are allowed, because newer clients send more.

const Position = {
  recover: Type.Optional(Type.Boolean()),
  offset: Type.Optional(Type.Integer({ minimum: 0 })),
  epoch: Type.Optional(Type.String({ maxLength: 64 })),
}
const Name = Type.String({ maxLength: 1024 })
const Token = Type.String({ maxLength: 2048 })

const TokenData = Type.Object({ token: Token })

/** Where a client that returns was in a channel. */
const SubscribeRequest = Type.Object({
  channel: Name,
  ...Position,
  /** Whether the client wants to hear who comes and goes. */
  join_leave: Type.Optional(Type.Boolean()),
})
export type Returning = Omit<Static<typeof SubscribeRequest>, 'channel'>

const HistoryRequest = Type.Object({
  channel: Name,
  limit: Type.Optional(Type.Integer()),
  since: Type.Optional(
    Type.Object({ offset: Type.Optional(Type.Integer({ minimum: 0 })), epoch: Position.epoch }),
  ),
  reverse: Type.Optional(Type.Boolean()),
})
export type HistoryRequest = Static<typeof HistoryRequest>

const Empty = Type.Object({})

const Command = Type.Object({
  id: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff })),
  connect: Type.Optional(
    Type.Object({
      token: Type.Optional(Token),
      data: Type.Optional(Type.Unknown()),
      subs: Type.Optional(Type.Record(Name, Type.Object(Position))),
    }),
  ),
  subscribe: Type.Optional(SubscribeRequest),
  unsubscribe: Type.Optional(Type.Object({ channel: Name })),
  refresh: Type.Optional(Type.Object({ token: Type.Optional(Token) })),
  history: Type.Optional(HistoryRequest),
  ping: Type.Optional(Empty),
  publish: Type.Optional(Empty),
  presence: Type.Optional(Type.Object({ channel: Name })),
  presence_stats: Type.Optional(Type.Object({ channel: Name })),
  sub_refresh: Type.Optional(Empty),
  rpc: Type.Optional(Empty),
  send: Type.Optional(Empty),
})

/** A command of a client. One without any method is a pong. */
export type Command = Static<typeof Command>

/**
 * Reads the commands of a frame, one a line; undefined for anything else.
 *
 * @param limit most commands that a frame may have
 */
export function readCommands(frame: string, limit: number): Command[] | undefined {
  const lines = frame.split('\n', limit + 1).filter((line) => line.trim() !== '')
  if (lines.length === 0 || lines.length > limit) return undefined
  const commands: Command[] = []
  for (const line of lines) {
    const value = parse(line)
    if (!Value.Check(Command, value)) return undefined
    commands.push(value)
  }
  return commands
}

/** Returns the token in a client's `data`, where the same client also works with a Centrifugo cluster. */
export function tokenIn(data: unknown): string | undefined {
  return Value.Check(TokenData, data) ? data.token : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Why a command is refused, in the protocol's numbers. */
export interface Refusal {
  readonly code: number
  readonly message: string
  /** Whether the client should try again. */
  readonly temporary?: true
}

export const REFUSALS = {
  internal: { code: 100, message: 'internal server error', temporary: true },
  unauthorized: { code: 101, message: 'unauthorized' },
  /** A channel that there is not, and one that is not for the client, are the same. */
  denied: { code: 103, message: 'permission denied' },
  unknownMethod: { code: 104, message: 'method not found' },
  subscribed: { code: 105, message: 'already subscribed' },
  limit: { code: 106, message: 'limit exceeded' },
  invalid: { code: 107, message: 'bad request' },
  unavailable: { code: 108, message: 'not available' },
  tokenExpired: { code: 109, message: 'token expired' },
  unrecoverable: { code: 112, message: 'unrecoverable position' },
} as const satisfies Record<string, Refusal>

/** Why a connection ends. */
export interface Ending {
  readonly code: number
  readonly reason: string
}

/** Whether clients connect again by themselves: after 3000 to 3499, and 4000 to 4499, which are the service's own. */
export function isReturning({ code }: Ending): boolean {
  return code < 3500 || (code >= 4000 && code < 4500)
}

export const ENDINGS = {
  shutdown: { code: 3001, reason: 'shutdown' },
  serverError: { code: 3004, reason: 'internal server error' },
  expired: { code: 3005, reason: 'connection expired' },
  slow: { code: 3008, reason: 'slow' },
  insufficientState: { code: 3010, reason: 'insufficient state' },
  noPong: { code: 3012, reason: 'no pong' },
  flood: { code: 3013, reason: 'too many requests' },
  sessionEnded: { code: 3500, reason: 'session ended' },
  invalidToken: { code: 3500, reason: 'invalid token' },
  invalid: { code: 3501, reason: 'bad request' },
  binary: { code: 3501, reason: 'bad request: text frames of JSON only' },
  stale: { code: 3502, reason: 'stale' },
  tooMany: { code: 3504, reason: 'connection limit' },
  /** The client connects again, and is asked again what it may hear. */
  rightsChanged: { code: 4000, reason: 'rights changed' },
} as const satisfies Record<string, Ending>

/** The client has ended the connection, or the network has. */
export const LEFT: Ending = { code: 3000, reason: 'connection closed' }

/** Why a subscription ends. A client subscribes again after 2500 and more. */
export const UNSUBSCRIBES = {
  denied: { code: 2000, reason: 'permission denied' },
  lost: { code: 2500, reason: 'insufficient state' },
} as const satisfies Record<string, Ending>
