import { readFile } from 'node:fs/promises'
import type { FastifyPluginAsync } from 'fastify'
import { accountPages, renderAccountPage } from './pages.ts'

/** The page's own files, the API, and nothing else; a form that no script handles goes nowhere. */
const CSP =
  "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const TYPES = {
  'account.js': 'text/javascript; charset=utf-8',
  'account.css': 'text/css; charset=utf-8',
}

/** Pages that links in mails lead to, so that these work out of the box; `email.pages` turns them off. */
const routes: FastifyPluginAsync = async (app) => {
  if (!app.config.email.pages) return

  for (const [name, page] of Object.entries(accountPages)) {
    const body = renderAccountPage(page)
    app.get(`/${name}`, { schema: { hide: true } }, async (_request, reply) =>
      reply.asPage().header('content-security-policy', CSP).type('text/html; charset=utf-8').send(body),
    )
  }
  for (const [name, type] of Object.entries(TYPES)) {
    const body = await readFile(new URL(name, import.meta.url))
    app.get(`/${name}`, { schema: { hide: true } }, async (_request, reply) => reply.type(type).send(body))
  }
}

export default routes
