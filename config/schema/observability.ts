import { Type } from '@sinclair/typebox'
import { Secret, Section, Text } from './kinds.ts'

/** Keys below `tracing`. */
export const Tracing = Section('Traces (OpenTelemetry). Without an endpoint nothing of it is loaded.', {
  endpoint: Type.Optional(
    Text({
      format: 'public-url',
      description:
        'Where spans are sent, by OTLP over HTTP as JSON: `http://collector:4318`. `/v1/traces` is added unless it ends so.',
    }),
  ),
  headers: Type.Optional(
    Secret({
      format: 'header-pairs',
      description:
        'Headers that go with the spans, as many receivers ask for a key: `x-api-key=...,x-tenant=...`. Variables of OpenTelemetry (`OTEL_*`) are not read.',
    }),
  ),
  sample_ratio: Type.Number({
    minimum: 0,
    maximum: 1,
    description:
      'Share of the traces begun here that are recorded, 0 to 1. A trace that a caller has begun is recorded if the caller records it.',
  }),
  service_name: Text({ description: 'Name of the service in traces (`service.name`).' }),
  accept_context: Type.Boolean({
    description:
      "Continue the trace that a request's `traceparent` names. Turn it off where anybody reaches the service without a proxy that removes the header: callers could have every request recorded.",
  }),
})

/** Keys below `errors`. */
export const Errors = Section('Where errors are reported that somebody should look at.', {
  dsn: Type.Optional(
    Secret({
      format: 'sentry-dsn',
      description:
        'DSN of Sentry, or of a server that speaks its protocol: `https://key@sentry.example.com/1`. Without it errors are counted and logged only.',
    }),
  ),
})
