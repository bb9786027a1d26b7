// Loaded before everything else by npm's scripts (`node --import`). An older Node cannot read TypeScript, and would only
// say "Unknown file extension", so this file is JavaScript that every Node reads.
import { readFileSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const needed = Number.parseInt(devDependencies.node, 10)
const { node } = process.versions

if (Number.parseInt(node, 10) < needed) {
  process.stderr.write(`Groundwork needs Node ${needed} or newer, and this is Node ${node} (${process.execPath}).
"npm ci" installs Node ${needed} for npm's scripts (npm start, npm run migrate, ...). If it ran with --ignore-scripts, run
"npm ci --ignore-scripts=false", or install Node ${needed} yourself.
`)
  process.exit(1)
}

// Compiled code is kept where the directory can be written to. Asked before any TypeScript is read, so that a later start
// does without its compiler: a quarter of the time, and 25 MiB.
module.enableCompileCache(fileURLToPath(new URL('.data/compile-cache', import.meta.url)))
