import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { Assets } from '#lib/browser-modules/asset.ts'
import { Html, html } from '#lib/html/html.ts'

/** The panel's page, and the policy that allows what it needs. */
export interface PanelPage {
  readonly body: string
  readonly csp: string
}

/** Names that modules import packages by, and the paths of these among the assets. */
export const PACKAGES: Readonly<Record<string, string>> = {
  preact: 'packages/preact.js',
  'preact/hooks': 'packages/preact-hooks.js',
  '@preact/signals': 'packages/signals.js',
  '@preact/signals-core': 'packages/signals-core.js',
  uplot: 'packages/uplot.js',
}

/** The module that a page begins with. */
const MAIN = 'main.ts'

/** Renders the page for a version of the assets. Everything in it is relative, so that it works behind a prefix. */
export function renderPanelPage(product: string, { hash, files }: Assets): PanelPage {
  const below = `assets/${hash}/`
  const imports = Object.fromEntries(
    Object.entries(PACKAGES).map(([name, path]) => [name, `./${below}${path}`]),
  )
  const importMap = JSON.stringify({ imports })
  const preloads = [...withImports(files, MAIN)].map(
    (path) => html`<link rel="modulepreload" href="${below}${path}">\n`,
  )
  const body = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${product} admin</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${below}style.css">
<script type="importmap">${new Html(importMap)}</script>
${preloads}<script type="module" src="${below}${MAIN}"></script>
</head>
<body data-product="${product}">
<noscript>The admin panel needs JavaScript.</noscript>
</body>
</html>
`.markup
  const digest = createHash('sha256').update(importMap).digest('base64')
  return { body, csp: policy(`'sha256-${digest}'`) }
}

/** Nothing but our own files; no inline script but the import map, no inline style, no text that becomes a script. */
function policy(importMap: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' ${importMap}`,
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
}

/** A module and all that it imports before it runs, so that a browser need not find them one after the other. */
function withImports(files: Assets['files'], path: string, found = new Set<string>()): Set<string> {
  const asset = files.get(path)
  if (asset === undefined || found.has(path)) return found
  found.add(path)
  const source = Buffer.from(asset.body).toString()
  for (const [, name = ''] of source.matchAll(/\bfrom\s?["']([^"']+)["']/g)) {
    withImports(files, PACKAGES[name] ?? posix.join(posix.dirname(path), name), found)
  }
  return found
}
