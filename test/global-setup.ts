import { startTestServer } from '#test/support/test-server.ts'

// Run by tap before the first test file. The server outlives this process; see global-teardown.ts.
await startTestServer({ fresh: true })
