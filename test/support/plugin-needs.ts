import { basename, dirname, join } from 'node:path'

/** A plugin of plugins/, as its source says. */
export interface PluginSource {
  readonly file: string
  /** Undefined where it has none of its own. */
  readonly name: string | undefined
  readonly dependencies: readonly string[]
  /** Plugins whose decorators or parts of the context it uses. */
  readonly needs: readonly string[]
}

/** Decorators of packages, and who registers them; a shared schema is as good as a decorator. */
const OF_PACKAGES = [
  ['app', 'pg', 'database'],
  ['app', 'isUnderPressure', 'under-pressure'],
  ['app', 'getSchemas', 'schemas'],
] as const

/** Whether a file is a plugin, and no helper of others; app.ts loads that of plugins/http/order.ts before all of them. */
const PLUGIN = /^export (?:default|const requestOrder =) fp\(/m
const FIRST = 'plugins/http/order.ts'
const META = /^ {2}\{\s*(?:name: '([\w-]+)',?\s*)?(?:dependencies: \[([^\]]*)\],?\s*)?\},?\n\)$/m
const IMPORT = /^import(?! type)[^;]*? from '(\.{1,2}\/[^']+|#plugins\/[^']+)'$/gms

/** Where a plugin uses what another one has given the application (`app`) or the context. */
const USES = {
  app: [/\bapp\s*\.(\w+)/g, /\{([^{}]*)\} = app$/gm, /\{([^{}]*)\}: (?:Pick<)?FastifyInstance\b/g],
  ctx: [/\bapp\.ctx\.(\w+)/g, /\{([^{}]*)\} = app\.ctx$/gm, /\bctx: \{([^{}]*)\} \}: FastifyInstance/g],
} as const
const OFFERS = {
  app: [/\bapp\.decorate\(\s*'(\w+)'/g],
  ctx: [/\bapp\.addContext\(\{ (.*) \}\)$/gm, /\bapp\.addContext\(\{\n(.*?)\n {4,6}\}\)$/gms],
} as const

/** Reads the plugins among some sources, by their path; helpers belong to the plugins that import them. */
export function readPlugins(sources: ReadonlyMap<string, string>): PluginSource[] {
  const files = new Map(
    [...sources]
      .filter(([file]) => file.startsWith('plugins/'))
      .map(([file, text]) => [file, text.replace(/^declare module .*?^\}$/gms, '')]),
  )
  const read = [...files]
    .filter(([file, text]) => PLUGIN.test(text) && file !== FIRST)
    .map(([file, text]) => readOne(file, text))
  const owners = new Map<string, string>(
    OF_PACKAGES.map(([place, name, owner]) => [`${place}.${name}`, owner]),
  )
  for (const { file } of read) {
    for (const name of namesIn(textsOf(file, files), OFFERS)) owners.set(name, nameOf(file))
  }
  return read.map((plugin) => {
    const used = namesIn(textsOf(plugin.file, files), USES).flatMap((name) => owners.get(name) ?? [])
    const needs = [...new Set(used)].filter((owner) => owner !== nameOf(plugin.file)).sort()
    return { ...plugin, needs }
  })
}

/** The name that a plugin is to have: its file's, or that of its folder. */
export function nameOf(file: string): string {
  const name = basename(file, '.ts')
  return name === 'index' ? basename(dirname(file)) : name
}

function readOne(file: string, text: string): Omit<PluginSource, 'needs'> {
  const [, name, list = ''] = META.exec(text) ?? []
  const dependencies = [...list.matchAll(/'([\w-]+)'/g)].map(([, dependency = '']) => dependency)
  return { file, name, dependencies }
}

/** The texts of a plugin's file and of the helpers that it imports. */
function textsOf(plugin: string, files: ReadonlyMap<string, string>): string[] {
  const own = new Set([plugin])
  for (const file of own) {
    for (const [, path = ''] of files.get(file)?.matchAll(IMPORT) ?? []) {
      const imported = path.startsWith('#') ? path.slice(1) : join(dirname(file), path)
      const text = files.get(imported)
      if (text !== undefined && !PLUGIN.test(text)) own.add(imported)
    }
  }
  return [...own].map((file) => files.get(file) ?? '')
}

/** Returns what the patterns find, as `app.db` or `ctx.jobs`. */
function namesIn(texts: readonly string[], patterns: Record<'app' | 'ctx', readonly RegExp[]>): string[] {
  return (['app', 'ctx'] as const).flatMap((place) =>
    texts.flatMap((text) =>
      patterns[place].flatMap((pattern) =>
        [...text.matchAll(pattern)].flatMap(([, found = '']) =>
          propertiesIn(found).map((name) => `${place}.${name}`),
        ),
      ),
    ),
  )
}

/** The names of properties in a line or in a block, whose own blocks are indented deeper. */
function propertiesIn(text: string): string[] {
  const indent = /^ */.exec(text)?.[0] ?? ''
  const lines = text.includes('\n')
    ? text.split('\n').filter((line) => line.startsWith(indent) && line[indent.length] !== ' ')
    : text.replace(/\{[^{}]*\}|\([^()]*\)/g, '').split(',')
  return lines.flatMap((line) => /^\s*(\w+)/.exec(line)?.[1] ?? [])
}
