import { Html, html } from '#lib/html/html.ts'

/** Where to go from here; links are relative, so that they work behind a prefix. */
export function renderStartPage(
  name: string,
  { admin, docs, mailbox }: { admin: boolean; docs: boolean; mailbox: boolean },
): string {
  const links: [boolean, string, string, string][] = [
    [docs, 'docs', 'API documentation', 'Swagger UI: every operation, to read and to try.'],
    [docs, 'docs/json', 'OpenAPI document', 'For generators of clients.'],
    [admin, 'admin/', 'Admin panel', 'Users, organizations and the audit log, for admins.'],
    [mailbox, 'dev/mail', 'Mailbox', 'Mail that the service would have sent.'],
    [true, 'health', 'Health', 'The checks, and how long they took.'],
    [true, 'metrics', 'Metrics', 'For Prometheus.'],
  ]
  const items = links
    .filter(([isThere]) => isThere)
    .map(([, href, title, text]) => html`<li><a href="${href}">${title}</a><span>${text}</span></li>\n`)
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${name}</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>${name}</h1>
<p>The service is running, with development settings. The API is below <code>/api/v1</code>.</p>
<ul>
${items}</ul>
</main>
</body>
</html>
`.markup
}

const STYLE = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f3f4f6, #0f1216);
  --card: light-dark(#ffffff, #181c22);
  --line: light-dark(#e0e3e8, #2e353f);
  --text: light-dark(#16191d, #e8eaed);
  --muted: light-dark(#565f6b, #a3abb6);
  --link: light-dark(#1d4ed8, #8ab4f8);
}
body { margin: 0; padding: clamp(1.5rem, 8vh, 5rem) 1rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.3; overflow-wrap: anywhere; }
p { margin: 0 0 1.5rem; color: var(--muted); }
ul { margin: 0; padding: 0; list-style: none; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
li { display: flex; flex-wrap: wrap; gap: .1rem 1.5rem; padding: .75rem 1rem; }
li + li { border-top: 1px solid var(--line); }
a { flex: 0 0 11rem; font-weight: 600; color: var(--link); }
span { flex: 1 1 14rem; color: var(--muted); }
`
