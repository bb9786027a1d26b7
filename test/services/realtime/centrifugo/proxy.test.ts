import t from 'tap'
import { CentrifugoProxy, type ConnectionMeta } from '#services/realtime/centrifugo/proxy.ts'
import { ChannelList } from '#services/realtime/channel-list.ts'
import type { Listener } from '#services/realtime/define-channel.ts'
import { ENDINGS, REFUSALS } from '#services/realtime/protocol.ts'

t.test('who is let in has a session in the database, whatever is remembered of the token', async (t) => {
  const warnings: unknown[] = []
  const context = Object.assign(Object.create(null), { log: { warn: () => warnings.push('warn') } })
  const listener: Listener = Object.assign(Object.create(null), {
    kind: 'user',
    user: { id: 'u' },
    sessionId: 's',
    address: '192.0.2.1',
  })
  const asked: ConnectionMeta[] = []
  let load: () => Promise<Listener | undefined> = async () => undefined
  const proxy = new CentrifugoProxy({
    ctx: context,
    log: context.log,
    channels: new ChannelList([]),
    load: (meta) => {
      asked.push(meta)
      return load()
    },
    end: async () => undefined,
    recheckMs: 1000,
  })
  const doorman = { admit: async () => ({ listener, expiresAt: Number.POSITIVE_INFINITY }) }
  const meta = { kind: 'user', session: 's', address: '192.0.2.1' }

  t.strictSame(await proxy.connect(doorman, { token: 'x' }), { disconnect: ENDINGS.sessionEnded })
  t.strictSame(asked.splice(0), [meta])
  load = async () => listener
  t.match(await proxy.connect(doorman, { token: 'x' }), { result: { user: 'u', channels: [], meta } })
  load = () => Promise.reject(new Error('the database is away'))
  t.strictSame(await proxy.connect(doorman, { token: 'x' }), { error: REFUSALS.internal })
  t.equal(warnings.length, 1)
})
