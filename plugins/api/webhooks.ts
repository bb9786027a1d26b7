import fp from 'fastify-plugin'
import { Counter, Histogram } from 'prom-client'
import { publicUrl } from '#config/public-url.ts'
import type { Config } from '#config/schema/schema.ts'
import { addressCheck } from '#lib/outbound/addresses.ts'
import { OUTBOUND_FAULTS } from '#lib/outbound/outbound-error.ts'
import { findEventTypes } from '#services/events/find-event-types.ts'
import type { WebhookContext } from '#services/webhooks/context.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<WebhookContext, 'webhooks'> {}
}

const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60]

/** Outcomes of attempts: an answer that is not 2xx is `status`. */
const OUTCOMES = ['delivered', 'status', ...OUTBOUND_FAULTS]

/** The parts that webhooks need: the way that messages leave, the types that there are, and metrics of attempts. */
export default fp(
  async (app) => {
    const registers = [app.metrics]
    const attempts = new Counter({
      name: 'webhook_attempts_total',
      help: 'Attempts to deliver messages by outcome: delivered, status (an answer that is not 2xx), or the fault.',
      labelNames: ['outcome'],
      registers,
    })
    const durations = new Histogram({
      name: 'webhook_attempt_duration_seconds',
      help: 'Time that an attempt took, from looking the host up to the answer.',
      buckets: BUCKETS,
      registers,
    })
    const stopped = new Counter({
      name: 'webhook_endpoints_disabled_total',
      help: 'Webhooks that the service disabled: gone (410) or failing (for days).',
      labelNames: ['reason'],
      registers,
    })
    // Rates of what happens first are known too.
    for (const outcome of OUTCOMES) attempts.inc({ outcome }, 0)
    for (const reason of ['gone', 'failing']) stopped.inc({ reason }, 0)
    const types = await findEventTypes()
    const { webhooks } = app.config
    app.addContext({
      webhooks: {
        sending: {
          timeoutMs: webhooks.timeout,
          allowHttp: webhooks.allow_http,
          allowedPorts: webhooks.allowed_ports.map(Number),
          ownHosts: [ownHost(app.config)],
          isAllowedAddress: addressCheck(webhooks.allow_networks),
          proxyUrl: webhooks.proxy_url,
        },
        perOrganization: webhooks.endpoints_per_organization,
        disableAfterMs: webhooks.disable_after,
        eventTypes: new Set(types.flatMap(({ type, of }) => (of === 'organization' ? [type] : []))),
        attempted(outcome, seconds) {
          attempts.inc({ outcome })
          durations.observe(seconds)
        },
        stopped: (reason) => stopped.inc({ reason }),
      },
    })
  },
  { name: 'webhooks', dependencies: ['context', 'metrics'] },
)

/** A name is the service's on every port; of an address of this machine, one port is. */
function ownHost({ server }: Config): string {
  const { hostname, host } = new URL(publicUrl(server))
  return server.public_url === undefined ? host : hostname
}
