import { readFile } from 'node:fs/promises'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { wantsHtml } from '#lib/html/wants-html.ts'
import { accountPages, renderAccountPage, renderUnknownPage } from './pages.ts'

/** The page's own files, the API, and nothing else; a form that no script handles goes nowhere. */
const CSP =
  "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const TYPES = {
  'account.js': 'text/javascript; charset=utf-8',
  'form.js': 'text/javascript; charset=utf-8',
  'invitation.js': 'text/javascript; charset=utf-8',
  'link-token.js': 'text/javascript; charset=utf-8',
  'account.css': 'text/css; charset=utf-8',
}

/** Pages that links in mails lead to, so that these work out of the box; `email.pages` turns them off. */
const routes: FastifyPluginAsync = async (app) => {
  if (!app.config.email.pages) return
  const { site } = app.mail
  const schema = { hide: true }
  app.leadBrowsers(pathBelow)
  const send = (reply: FastifyReply, body: string) =>
    reply.asPage().header('content-security-policy', CSP).type('text/html; charset=utf-8').send(body)

  for (const [name, page] of Object.entries(accountPages)) {
    const body = renderAccountPage(page, site)
    app.get(`/${name}`, { schema }, async (_request, reply) => send(reply, body))
  }
  for (const [name, type] of Object.entries(TYPES)) {
    const body = await readFile(new URL(name, import.meta.url))
    app.get(`/${name}`, { schema }, async (_request, reply) => reply.type(type).send(body))
  }

  // Links that a mail program has altered still show their page, whose script finds the token. Nothing here uses a
  // token up, so that programs that open links before the reader does no harm.
  for (const url of ['', '/*']) {
    app.get<{ Params: { '*'?: string } }>(url, { schema }, async (request, reply) => {
      const up = wayUp(request.url)
      const page = pageOf(request.params['*'])
      if (page) return send(reply, renderAccountPage(page, site, up))
      if (!wantsHtml(request.headers.accept)) return reply.callNotFound()
      return send(reply.code(404), renderUnknownPage(site, up))
    })
  }
}

export default routes

/** Characters that a mail program leaves in a wrapped line: white space, `=` of quoted-printable, marks without width. */
const WRAPS = /[\s=\u00ad\u200b-\u200d\u2060]/g

const NAME = /(?<=^\/*)[a-z-]*[a-z](?![a-z0-9])/

/** The page whose name a path begins with, after slashes too many, followed by what cannot belong to a name. */
function pageOf(path = ''): (typeof accountPages)[string] | undefined {
  const text = path.toLowerCase()
  const names = [text, text.replace(WRAPS, '')].map((form) => NAME.exec(form)?.[0] ?? '')
  const known = names.find((name) => Object.hasOwn(accountPages, name))
  return known === undefined ? undefined : accountPages[known]
}

/** A URL that begins as those of the pages do, but for the case of letters, and slashes too many, encoded, or cut off. */
const BELOW = /^\/(?:\/|%2f)*account(?:(?:\/|%2f)+(.*)|([^\w/-].*))$/i

/** The path of the page that a URL which no route has was meant to lead to. */
function pathBelow(url: string): string | undefined {
  const [, below, behind] = BELOW.exec(url) ?? []
  const rest = below ?? behind
  const path = `/account/${rest}`
  return rest === undefined || path === url ? undefined : path
}

/** The relative path from a URL up to `/account/`; relative, because a proxy may put it under another path. */
function wayUp(url: string): string {
  const [path = ''] = url.split('?', 1)
  const slashes = path.split('/').length - 1
  return slashes === 1 ? 'account/' : '../'.repeat(slashes - 2)
}
