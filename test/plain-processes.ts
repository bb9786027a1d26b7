// Run by Node before each test file. tap lets each process that a test starts measure its coverage, which adds
// half to the time that it takes to start; without coverage that is for nothing.
import { registerHooks } from 'node:module'
import processOnSpawn from 'process-on-spawn'

if (process.env['TAP_DISABLE_COVERAGE'] === '1') {
  processOnSpawn.removeAllListeners()
  delete process.env['NODE_OPTIONS']
}

// tap asks for them, and nothing of ours has any: they cost each error's stack.
process.setSourceMapsEnabled(false)

// What tap finds an error's test by: see there.
const DOMAINS = new URL('./support/domains.ts', import.meta.url).href
// Of plugins that keep each test, and with it its application, until the process ends.
const KEEPERS = /\/@tapjs\/(?:after-each|before-each|fixture|snapshot)\/dist\/esm\/index\.js$/
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'async-hook-domain' ? { url: DOMAINS, shortCircuit: true } : next(specifier, context),
  load(url, context, next) {
    const loaded = next(url, context)
    if (!KEEPERS.test(url)) return loaded
    return { ...loaded, source: String(loaded.source).replace('#refs = new Map()', '#refs = new WeakMap()') }
  },
})
