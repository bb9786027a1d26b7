import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { nameOf, readPlugins } from '#test/support/plugin-needs.ts'

// What modules show each other, beside the layers (imports.test.ts).

const ROOT = join(import.meta.dirname, '..')
const FOLDERS =
  '{admin,bench,commands,config,deploy,lib,plugins,process,routes,schemas,services,test}/**/*.ts'

const sources = new Map(
  [...globSync([FOLDERS, '*.ts'], { cwd: ROOT })].map((file) => [
    file,
    readFileSync(join(ROOT, file), 'utf8'),
  ]),
)

/** Files whose exports are found by the file's name, or that of their folder. */
const FOUND_BY_NAME = /^schemas\/|\/(?:channels|consumers|events|expiry|jobs|sink)\.ts$/

t.test("an import that leaves a folder's parent begins with #", (t) => {
  t.ok(sources.size > 1000)
  const leaving = /^(?:import|export|\}) .*from '\.\.\/\.\.\//m
  const found = [...sources].filter(([, text]) => leaving.test(text)).map(([file]) => file)
  t.strictSame(found, [])
  t.end()
})

t.test('a value is exported for another file', (t) => {
  const users = new Map<string, Set<string>>()
  for (const [file, text] of sources) {
    for (const [word] of text.matchAll(/\w+/g)) {
      const files = users.get(word) ?? new Set()
      users.set(word, files.add(file))
    }
  }
  const found: string[] = []
  for (const [file, text] of sources) {
    if (FOUND_BY_NAME.test(file)) continue
    for (const [, name = ''] of text.matchAll(/^export (?:async )?(?:const|class|function\*?) (\w+)/gm))
      if (users.get(name)?.size === 1) found.push(`${basename(file)}: ${name}`)
  }
  t.strictSame(found, [])
  t.end()
})

/** Dependencies of plugins that use nothing of each other, for the order of their hooks and listeners. */
const ORDER = new Map<string, readonly string[]>([
  // What they start finds its tables.
  ...['audit', 'instances', 'jobs'].map((name): [string, string[]] => [name, ['migrations']]),
  // A relay ends before the broker that it publishes to.
  ['relays', ['broker', 'migrations']],
  // A role that may see too much changes no schema.
  ['migrations', ['database-role']],
  // An exchange is known before it is routed.
  ['load-shedding', ['connections']],
  // Kept answers are for those who are let in.
  ['tenancy', ['idempotency']],
  // Refusals tell a client of tus the version too.
  ['uploads', ['tenancy']],
])

t.test('a plugin has the name of its file and depends on what it uses of others', (t) => {
  const plugins = readPlugins(sources)
  t.ok(plugins.length > 70)
  for (const { file, name, dependencies, needs } of plugins) {
    t.equal(name, nameOf(file), file)
    const missing = [...needs, ...(ORDER.get(nameOf(file)) ?? [])].filter(
      (need) => !dependencies.includes(need),
    )
    t.strictSame(missing, [], file)
  }
  t.end()
})
