import { v7 as uuidv7 } from 'uuid'
import { defineSink } from '#services/events/sink.ts'
import type { WebhookContext } from './context.ts'
import { isChosen } from './event-types.ts'
import { enqueueAttempts } from './jobs.ts'
import { bodyOf } from './message.ts'
import * as queries from './queries-of-deliveries.ts'

/** Events that are given to endpoints in one transaction. */
const BATCH = 100

/** Makes a delivery of each event for each endpoint that chose its type, as they are at this moment. */
export const webhookSink = defineSink<WebhookContext>({
  name: 'webhooks',
  column: 'fanned_out_at',
  batch: BATCH,
  isUsed: () => true,
  take: async (ctx, events) => {
    const organizations = new Set(events.flatMap(({ organization_id: org }) => org ?? []))
    if (organizations.size > 0) {
      const endpoints = await queries.selectSubscriptions(ctx.db, [...organizations])
      const deliveries = events.flatMap((event) => {
        const { organization_id: org, type } = event
        if (org === null) return []
        const body = bodyOf({ ...event, organization_id: org })
        return endpoints
          .filter((endpoint) => endpoint.org_id === org && isChosen(endpoint.event_types, type))
          .map(({ id, is_disabled, is_slow }) => ({
            org_id: org,
            id: uuidv7(),
            endpoint_id: id,
            event_id: event.id,
            event_type: type,
            body,
            state: is_disabled ? ('skipped' as const) : ('pending' as const),
            is_slow,
          }))
      })
      const fresh = new Set(await queries.insertDeliveries(ctx.db, deliveries))
      const due = deliveries.filter(({ id, state }) => state === 'pending' && fresh.has(id))
      await enqueueAttempts(
        ctx,
        due.map(({ org_id: org, id: delivery, endpoint_id: endpoint, is_slow }) => ({
          ...{ org, delivery, number: 1, endpoint, is_slow },
        })),
      )
    }
    return events.map(({ id }) => id)
  },
})
