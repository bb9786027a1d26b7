/**
 * To be imported for its effect: the applications of this process share their compiled serializers and validators,
 * because compiling them is half of what an application takes to start, and their plugins have names.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify'

type SerializerCompiler = FastifySerializerCompiler<unknown>
type ValidatorCompiler = FastifySchemaCompiler<unknown>

/** Compiled for one set of schemas that others refer to, by schema as JSON. */
class Compiled {
  readonly serializers = new Map<string, ReturnType<SerializerCompiler>>()
  readonly validators = new Map<string, ReturnType<ValidatorCompiler>>()
}

const compiled = new Map<string, Compiled>()

subscribe('fastify.initialization', (message) => {
  if (!hasInstance(message)) throw new TypeError('Fastify announces its instances in another way')
  const { fastify } = message
  nameEverything(fastify)
  let isShared = false
  fastify.addHook('onRoute', () => {
    // Other instances of Fastify have no compiler of ours.
    const { validatorCompiler, serializerCompiler } = fastify
    if (isShared || !validatorCompiler || !serializerCompiler) return
    isShared = true
    share(fastify, validatorCompiler, serializerCompiler)
  })
})

function share(app: FastifyInstance, validatorOf: ValidatorCompiler, serializerOf: SerializerCompiler): void {
  const schemas = app.getSchemas()
  const key = JSON.stringify(schemas)
  const known = compiled.get(key) ?? new Compiled()
  compiled.set(key, known)
  app.setSerializerCompiler<unknown>((route) =>
    remembered(known.serializers, JSON.stringify(route.schema), () => serializerOf(route)),
  )
  app.setValidatorCompiler<unknown>((route) =>
    remembered(known.validators, JSON.stringify([route.httpPart, route.schema]), () => validatorOf(route)),
  )
}

const NAME = Symbol.for('fastify.display-name')

/**
 * Names each plugin when it is registered. Of one without a name, Fastify looks twice through all modules that were
 * loaded, which was a tenth of what an application took.
 */
function nameEverything(app: FastifyInstance): void {
  const { register } = app
  Reflect.set(app, 'register', function (this: FastifyInstance, ...args: Parameters<typeof register>) {
    const [plugin] = args
    if (typeof plugin === 'function' && !(NAME in plugin))
      Reflect.set(plugin, NAME, plugin.name || 'a plugin')
    return Reflect.apply(register, this, args)
  })
}

function remembered<T>(values: Map<string, T>, key: string, make: () => T): T {
  const value = values.get(key) ?? make()
  values.set(key, value)
  return value
}

function hasInstance(message: unknown): message is { fastify: FastifyInstance } {
  return typeof message === 'object' && message !== null && 'fastify' in message
}
