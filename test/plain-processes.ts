// Run by Node before each test file. tap lets each process that a test starts measure its coverage, which adds
// half to the time that it takes to start; without coverage that is for nothing.
import processOnSpawn from 'process-on-spawn'

if (process.env['TAP_DISABLE_COVERAGE'] === '1') {
  processOnSpawn.removeAllListeners()
  delete process.env['NODE_OPTIONS']
}
