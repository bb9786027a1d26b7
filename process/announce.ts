import type { FastifyInstance } from 'fastify'
import { isLoopback } from '#config/engine/loopback.ts'
import { LENIENT_ENVIRONMENTS } from '#config/schema/schema.ts'

const EXPOSED = `Warning    Others can reach this service, and it has development settings: a signing secret that everybody
           knows, everybody's mail at /dev/mail, open metrics. Set APP_ENVIRONMENT=production to serve them.`

/** Tells a person where things are. */
export function announce(app: Pick<FastifyInstance, 'config' | 'mailbox'>, url: string): void {
  const { environment, docs, role, server } = app.config
  if (LENIENT_ENVIRONMENTS.includes(environment) && !isLoopback(server.host)) say(EXPOSED)
  if (environment !== 'development') return
  if (role !== 'worker') {
    say(`API        ${url}/api/v1`)
    if (docs.enabled) say(`Swagger UI ${url}/docs`)
    if (app.mailbox) say(`Mailbox    ${url}/dev/mail`)
  }
  say(`Health     ${url}/health`)
  say(`Metrics    ${url}/metrics`)
}

/** Says something to a person. On standard error: the log has standard output to itself. */
export function say(message: string): void {
  process.stderr.write(`${message}\n`)
}
