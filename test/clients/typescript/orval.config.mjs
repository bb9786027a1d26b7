import { defineConfig } from 'orval'

const input = './openapi.json'
const baseUrl = { runtime: "process.env['BASE_URL']" }

export default defineConfig({
  fetch: { input, output: { target: 'client.ts', client: 'fetch', mode: 'single', baseUrl } },
  zod: { input, output: { target: 'schemas.ts', client: 'zod', mode: 'single' } },
})
