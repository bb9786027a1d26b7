import { FORMATS, SENTENCES } from '#plugins/http/errors/sentences.ts'
import { member, operationsOf, type Schema } from './document.ts'
import { document, rule } from './rules.ts'

/* What a request may hold. */

const operations = operationsOf(document)

/** Keywords that no value can break, and those whose schemas are looked at by themselves. */
const SILENT = new Set([
  ...['$ref', 'allOf', 'default', 'description', 'example', 'examples', 'items', 'properties', 'title'],
  ...['x-message', 'x-normalize', 'x-sensitivity'],
])

rule(
  'text and lists of requests are bounded',
  () => inputs((schema) => !isBounded(schema)),
  // Their entity tags are counted; ranges are one expression, without a choice.
  ['IfMatch', 'IfNoneMatch', 'IfRange', 'Range'].map((name) => `#/components/parameters/${name}`),
)

rule('every keyword that a request can break has a sentence', () => {
  const found = new Set<string>()
  inputs((schema) => {
    for (const keyword of Object.keys(schema)) {
      if (!SILENT.has(keyword) && !Object.hasOwn(SENTENCES, keyword)) found.add(keyword)
    }
    return false
  })
  return [...found]
})

rule('every format of a request has words, and every pattern its message', () =>
  inputs(({ format, ...schema }) => {
    // Which is a number's size for generators, and nothing that a request can break.
    const name = schema['x-format'] ?? (format === 'int64' ? undefined : format)
    const isNamed = name === undefined || Object.hasOwn(FORMATS, String(name))
    const hasPattern = 'pattern' in schema || 'x-pattern' in schema || 'x-address' in schema
    return !isNamed || (hasPattern && typeof schema['x-message'] !== 'string')
  }),
)

function isBounded(schema: Schema): boolean {
  const types = [schema['type']].flat()
  // The checks of these formats refuse what is long before they look at it.
  const hasOwnBound = ['uuid', 'date-time'].includes(String(schema['format']))
  const isText = types.includes('string') && !('enum' in schema) && !hasOwnBound
  const isList = types.includes('array')
  return !(isText && !('maxLength' in schema)) && !(isList && !('maxItems' in schema))
}

/** Pointers to the schemas of bodies and parameters that `breaks` finds. */
function inputs(breaks: (schema: Schema) => boolean): string[] {
  const found = new Set<string>()
  const seen = new Set<string>()
  function look(schema: unknown, pointer: string): void {
    walkSchema(schema, pointer, (node, place) => {
      if (breaks(node)) found.add(place)
      const reference = node['$ref']
      if (typeof reference !== 'string' || seen.has(reference)) return
      seen.add(reference)
      look(member(document, ...reference.replace(/^#\//, '').split('/')), reference)
    })
  }
  for (const { operation } of operations) {
    look(member(operation.requestBody, 'content', 'application/json', 'schema'), operation.operationId)
    for (const parameter of operation.parameters ?? []) {
      const named = '$ref' in parameter ? parameter.$ref : `${operation.operationId} ${parameter.name}`
      const resolved =
        '$ref' in parameter ? member(document, ...parameter.$ref.slice(2).split('/')) : parameter
      look(member(resolved, 'schema'), named)
    }
  }
  return [...found]
}

/** Visits a schema and those in it: of properties, items and alternatives. */
function walkSchema(schema: unknown, pointer: string, visit: (node: Schema, pointer: string) => void): void {
  const node = member(schema)
  if (!node) return
  visit(node, pointer)
  for (const name of Object.keys(member(node, 'properties') ?? {})) {
    walkSchema(member(node, 'properties', name), `${pointer}/${name}`, visit)
  }
  for (const keyword of ['items', 'additionalProperties', 'propertyNames', 'not']) {
    walkSchema(node[keyword], `${pointer}/${keyword}`, visit)
  }
  for (const alternative of [node['anyOf'], node['oneOf'], node['allOf']].flat()) {
    walkSchema(alternative, pointer, visit)
  }
}
