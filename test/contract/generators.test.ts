/** Rules of other people's generators for the document; test:clients runs some of them. */
import t from 'tap'
import { member } from './document.ts'
import { isPortable } from './portable-pattern.ts'
import { document, everywhere, rule } from './rules.ts'

rule('patterns are in the part of regular expressions that all engines share', () =>
  everywhere(({ pattern }) => typeof pattern === 'string' && !isPortable(pattern)),
)

t.test('a pattern that only some engines read is found', async (t) => {
  const refused = [
    ...['^\\p{L}+$', '^\\d+$', '^\\w+$', '^\\s+$', '^\\u0041$', '^a\\b$', '^[\\d]$', '^[[:alpha:]]$', '^.$'],
    ...['^(?=a)b$', '^(?!a)b$', '^(?<=a)b$', '^(?<!a)b$', '^(?<name>a)$', '^(a)\\1$', '^(?i)a$', '^(?i:a)$'],
    ...['^a++$', '^a*+$', '^a{1,1001}$', '^[a&&b]$', '^[a--b]$', '^\u00e4$', '^a\\z$', '^[a$', '^(a$'],
    ...['a', '^a', 'a$', '^a|b$'],
  ]
  for (const pattern of refused) t.notOk(isPortable(pattern), pattern)
  const taken = ['^[A-Za-z0-9._-]{1,255}$', '^(?:"[!#-\\[\\]-~]+"|b\\.c)*?\\[$', '^a?$']
  for (const pattern of taken) t.ok(isPortable(pattern), pattern)
})

rule('what may be null has the type [..., "null"]', () =>
  everywhere((node) => {
    const alternatives = [node['anyOf'] ?? [], node['oneOf'] ?? []].flat()
    const isOtherwise = alternatives.some((one: unknown) => Object(one).type === 'null') || 'nullable' in node
    const { type } = node
    return isOtherwise || (Array.isArray(type) && !(type.length === 2 && type[1] === 'null'))
  }),
)

/** Generators leave these out, read them differently, or refuse the document. */
const RARELY_READ = [
  ...['$anchor', '$defs', '$dynamicRef', '$id', '$schema', 'const', 'contains', 'contentEncoding'],
  ...['contentMediaType', 'dependentRequired', 'dependentSchemas', 'exclusiveMaximum', 'exclusiveMinimum'],
  ...['if', 'not', 'patternProperties', 'prefixItems', 'propertyNames', 'unevaluatedItems'],
  ...['unevaluatedProperties'],
]

rule('schemas say nothing that generators rarely read', () =>
  everywhere((node, pointer) => isSchema(pointer) && RARELY_READ.some((name) => Object.hasOwn(node, name))),
)

// `email`, `uri` and others come with a pattern of the generator's own, which is not ours.
rule('a format means the same to every generator', () =>
  everywhere((node, pointer) => {
    const format = String(node['format'] ?? 'uuid')
    // All of them know bytes, where a body is nothing else.
    if (format === 'binary')
      return !/content\/(?:\*\/\*|application\/(?:offset\+)?octet-stream)\/schema$/.test(pointer)
    if (format === 'int64') return ![node['type']].flat().includes('integer')
    return isSchema(pointer) && !['uuid', 'date-time'].includes(format)
  }),
)

// Clients in Java, Kotlin and C# could not read the size of a file of 2 GiB.
rule('an integer that may need more than 32 bits says so', () =>
  everywhere((node) => {
    const isSmall = 'enum' in node || Number(node['maximum']) <= 2 ** 31 - 1
    return [node['type']].flat().includes('integer') && !isSmall && node['format'] !== 'int64'
  }),
)

rule('a schema has a type, or is a reference and nothing else', () =>
  everywhere((node, pointer) => {
    if (!isSchema(pointer)) return false
    return '$ref' in node ? Object.keys(node).length > 1 : node['type'] === undefined
  }),
)

/** Names that generators take for types of their own languages: a schema `File` became java.io.File. */
const TAKEN_NAMES = [
  ...[
    'Any',
    'Array',
    'Blob',
    'Boolean',
    'Buffer',
    'Class',
    'Date',
    'Enum',
    'Error',
    'Exception',
    'File',
    'Float',
  ],
  ...['Function', 'Integer', 'List', 'Map', 'Number', 'Object', 'Optional', 'Promise', 'Record', 'Request'],
  ...['Response', 'Set', 'String', 'Type', 'URI', 'UUID', 'Void'],
]

rule('no schema has the name of a type of some language', () =>
  TAKEN_NAMES.filter((name) => member(document, 'components', 'schemas', name) !== undefined),
)

// The Java client of a set of an inline enumeration does not compile.
rule('the items of a set are of a named schema, or any text', () =>
  everywhere((node) => node['uniqueItems'] === true && Array.isArray(member(node, 'items')?.['enum'])),
)

rule('every reference leads somewhere, and is used', () => {
  const used = new Set<string>()
  everywhere((node) => typeof node['$ref'] === 'string' && !used.add(node['$ref']))
  return everywhere((node, pointer) => {
    if (!/^\/components\/(?!securitySchemes)\w+\/[^/]+$/.test(pointer)) return false
    return member(node) !== undefined && !used.has(`#${pointer}`)
  })
})

/** Whether a pointer leads to a schema: a component, a property, items, or the `schema` of something. */
function isSchema(pointer: string): boolean {
  if (/\/(?:default|enum|examples?)(?:\/|$)/.test(pointer)) return false
  return /^\/components\/schemas\/[^/]+$|\/properties\/[^/]+$|\/(?:schema|items)$/.test(pointer)
}
