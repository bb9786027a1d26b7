import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { LOCAL_ADDRESS } from '#lib/network/addresses.ts'
import { createCallers, createDoorman } from '#plugins/api/realtime/callers.ts'
import type { AppContext } from '#plugins/infrastructure/context.ts'
import { findChannels } from '#services/realtime/channel-list.ts'
import { Client } from '#services/realtime/client.ts'
import type { Doorman } from '#services/realtime/doorman.ts'
import { Hub, type HubLimits } from '#services/realtime/hub.ts'
import { Attendance } from '#services/realtime/presence/attendance.ts'
import type { Ending } from '#services/realtime/protocol.ts'
import type { Callers } from '#services/realtime/rights.ts'

const ignore = () => undefined

/** A hub of the test's own, for the application's has a clock. */
export async function createHub(
  t: Test,
  app: FastifyInstance,
  callers: Partial<Callers> = {},
  limits: Partial<HubLimits> = {},
): Promise<Hub<AppContext>> {
  const attendance = new Attendance(app.ctx.db, app.log)
  t.teardown(() => attendance.close())
  return new Hub({
    ctx: app.ctx,
    log: app.log,
    channels: await findChannels<AppContext>(),
    reader: { start: async () => undefined },
    limits: {
      channels: 10,
      perUser: 10,
      perOrganization: 10,
      historySize: 10,
      historyBytes: 10_000,
      ...limits,
    },
    callers: { ...createCallers(app), ...callers },
    attendance,
    observer: { ended: ignore, delivered: ignore, recovered: ignore },
  })
}

/** Opens a connection to a hub, and notes what it is sent and how it ends. */
export function openClient(
  t: Test,
  app: FastifyInstance,
  hub: Hub<AppContext>,
  now: () => number = () => 0,
  doorman: Doorman = createDoorman(app, LOCAL_ADDRESS),
): { client: Client; frames: string[]; endings: Ending[] } {
  const frames: string[] = []
  const endings: Ending[] = []
  const client = new Client({
    hub,
    pingMs: 25_000,
    connection: {
      send: (frame) => frames.push(String(frame)),
      waiting: 0,
      close: (why) => endings.push(why),
    },
    doorman,
    version: 'test',
    maxWaiting: 1,
    now,
  })
  t.teardown(() => client.left())
  return { client, frames, endings }
}
