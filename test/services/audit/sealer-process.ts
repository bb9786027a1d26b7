import { buildApp } from '#app.ts'
import { loadConfig } from '#config/load.ts'
import { sealBatch } from '#services/audit/sealer.ts'

// Seals without a pause until it is killed, and says when it begins.

const app = await buildApp(loadConfig({ env: process.env }).config)
await app.ready()
process.stdout.write('sealing\n')
for (;;) await sealBatch(app.ctx)
