import type { FastifyInstance, onRequestHookHandler, preValidationHookHandler } from 'fastify'
import fp from 'fastify-plugin'

/**
 * The steps that every request goes through, in this order, each with the hook that runs it. A plugin offers its hook
 * to a step (`app.step`), so the order in which plugins are loaded does not matter. Load shedding comes before them,
 * and the hooks of single routes after those of the same kind: authentication is one (docs/architecture.md).
 */
export const REQUEST_STEPS = {
  'request end': 'onRequest',
  'request id': 'onRequest',
  'security headers': 'onRequest',
  'local only': 'onRequest',
  span: 'onRequest',
  // The hook of CORS answers preflights, so they are counted before it. Pages may read any other refusal.
  'preflight limit': 'onRequest',
  cors: 'onRequest',
  'rate limit': 'onRequest',
  'malformed request': 'onRequest',
  pipelining: 'onRequest',
  pressure: 'onRequest',
  'span context': 'preValidation',
} as const

/** Who hears of a request's end, in this order (`app.onRequestEnd`). */
export const REQUEST_END_STEPS = ['metrics', 'errors', 'span', 'refusals', 'log'] as const

export type RequestStep = keyof typeof REQUEST_STEPS
export type RequestEndStep = (typeof REQUEST_END_STEPS)[number]

interface Handlers {
  onRequest: onRequestHookHandler
  preValidation: preValidationHookHandler
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Offers a hook to a step of every request. */
    step<Name extends RequestStep>(name: Name, hook: Handlers[(typeof REQUEST_STEPS)[Name]]): void
    /** Offers the hook that a plugin of somebody else adds while `register` runs. */
    stepOf(name: RequestStep, register: () => PromiseLike<unknown>): Promise<void>
    /** Adds the hooks that were offered; called once all plugins are loaded. */
    applySteps(): void
    /** The steps that were applied, in their order. */
    readonly requestSteps: readonly RequestStep[]
  }
}

/** Hooks that run for each request. */
const REQUEST_HOOKS: ReadonlySet<string> = new Set([
  ...['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend'],
  ...['onResponse', 'onError', 'onTimeout', 'onRequestAbort'],
])

/** Keeps the order of a request's steps. A plugin that hooks into every request without naming its step is refused. */
export const requestOrder = fp(async (app) => {
  const { addHook } = app
  const offered = new Map<RequestStep, unknown>()
  const applied: RequestStep[] = []
  let isApplied = false
  let current: RequestStep | undefined

  function offer(name: RequestStep, hook: unknown): void {
    if (isApplied) throw new Error(`the step '${name}' is offered too late: offer it in a plugin of plugins/`)
    if (offered.has(name))
      throw new Error(`the step '${name}' is taken: add another to plugins/http/order.ts`)
    offered.set(name, hook)
  }

  /** Stands in for `addHook` until the steps are applied. */
  function addNamedHook(this: FastifyInstance, kind: string, hook: unknown): FastifyInstance {
    if (this !== app || !REQUEST_HOOKS.has(kind)) return Reflect.apply(addHook, this, [kind, hook])
    if (current === undefined || REQUEST_STEPS[current] !== kind) throw unnamed(kind)
    offer(current, hook)
    return this
  }

  app.decorate('requestSteps', applied)
  app.decorate('step', offer)
  app.decorate('stepOf', async (name, register) => {
    current = name
    try {
      await register()
    } finally {
      current = undefined
    }
    if (!offered.has(name))
      throw new Error(`the plugin for the step '${name}' adds no ${REQUEST_STEPS[name]} hook`)
  })
  app.decorate('applySteps', () => {
    isApplied = true
    Object.assign(app, { addHook })
    for (const [name, kind] of Object.entries(REQUEST_STEPS)) {
      if (!isStep(name) || !offered.has(name)) continue
      Reflect.apply(addHook, app, [kind, offered.get(name)])
      applied.push(name)
    }
  })
  Object.assign(app, { addHook: addNamedHook })
  app.addHook('onRoute', function ({ url }) {
    // A child has the hooks that its parent had when it was made.
    if (!isApplied && this !== app)
      throw new Error(`${url} would miss the request's steps: put it into routes/`)
  })
})

function isStep(name: string): name is RequestStep {
  return name in REQUEST_STEPS
}

function unnamed(kind: string): Error {
  return new Error(
    `a plugin adds a hook (${kind}) for every request, and does not say when it runs: ` +
      "name its step in REQUEST_STEPS (plugins/http/order.ts), and offer the hook by app.step('its name', hook)",
  )
}
