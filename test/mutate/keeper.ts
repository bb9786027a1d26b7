/**
 * Cleans up after the process that started it, when that has ended in any way: ends the tests that run, stops the
 * copy's PostgreSQL, and deletes the copy. Each line of its input names the groups of processes that run.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { testServerDirectory } from '#test/support/test-server.ts'
import { endGroup, runScript } from './groups.ts'

const [directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('Usage: node test/mutate/keeper.ts DIRECTORY')

let groups: number[] = []
for await (const line of createInterface({ input: process.stdin })) groups = line.split(' ').map(Number)

for (const group of groups) endGroup(group)
try {
  await runScript(directory, 'test/global-teardown.ts')
} catch {
  // The process ended before the copy was whole, so there is no server.
}
const server = testServerDirectory(join(directory, '.data'))
for (const folder of [server, directory]) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
