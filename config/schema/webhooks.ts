import { Type } from '@sinclair/typebox'
import { Duration, List, Secret, Section } from './kinds.ts'

/** Keys below `webhooks`. */
export const Webhooks = Section('Messages about events to servers of customers (docs/webhooks.md).', {
  timeout: Duration({
    maximum: '60s',
    description: 'Time that one attempt may take, from looking the host up to the answer.',
  }),
  endpoints_per_organization: Type.Integer({
    minimum: 0,
    maximum: 1000,
    description: 'How many endpoints one organization may have; with 0 nobody creates one.',
  }),
  disable_after: Duration({
    minimum: '1h',
    maximum: '20d',
    description:
      'Time without a success after which an endpoint is disabled, if 20 attempts or more have failed; administrators of the organization get a mail then, and one at half of it.',
  }),
  allow_http: Type.Boolean({
    description: 'Take endpoints with `http:`, whose messages anyone on the way can read.',
  }),
  allowed_ports: List({ format: 'port', description: 'Ports that endpoints may have; empty: all.' }),
  allow_networks: List({
    format: 'network',
    description:
      'Networks that are not of the internet, and that endpoints may be in all the same, such as `10.20.0.0/16`. Customers reach everything there.',
  }),
  proxy_url: Type.Optional(
    Secret({
      format: 'proxy-url',
      description:
        'A proxy (CONNECT) for all messages, which looks names up, and must refuse addresses of the inside. `HTTPS_PROXY` does not apply to them.',
    }),
  ),
})
