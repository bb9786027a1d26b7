import { Html, html } from '#lib/html/html.ts'
import type { KeptMail } from '#services/mail/mailbox.ts'

/** The mails, newest first. */
export function renderList(mails: readonly KeptMail[]): string {
  return renderPage(
    'Mailbox',
    html`<h1>Mailbox</h1>
<p class="muted">Mail that the service would have sent, newest first. <a href="mail/messages">As JSON</a></p>
${mails.length === 0 ? html`<p>There is no mail.</p>` : html`<ul class="mails">${mails.map(renderItem)}</ul>`}`,
  )
}

/** One mail: as it looks, as text, and its headers. */
export function renderMail({ id, to, subject, text, headers, sent_at }: KeptMail): string {
  return renderPage(
    subject,
    html`<p><a href="../mail">Mailbox</a></p>
<h1>${subject}</h1>
<p class="muted">To ${to}, <time datetime="${sent_at}">${sent_at}</time></p>
<iframe title="The mail as HTML" src="${id}/html" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>
<h2>Text</h2>
<pre>${linkify(text)}</pre>
<h2>Headers</h2>
<pre>${headers}</pre>`,
  )
}

/** The mail's own HTML, whose links open outside of the frame that it is shown in. */
export function renderFrame({ html }: KeptMail): string {
  return html.replace('<head>', '<head><base target="_blank">')
}

function renderItem({ id, to, subject, sent_at }: KeptMail): Html {
  return html`<li><a href="mail/${id}">${subject}</a><span>${to}</span><time datetime="${sent_at}">${sent_at}</time></li>
`
}

/** Makes links of URLs. */
function linkify(text: string): Html[] {
  return text
    .split(/(https?:\/\/\S+)/)
    .map((part, index) =>
      index % 2 === 1 ? html`<a href="${part}" target="_blank">${part}</a>` : html`${part}`,
    )
}

function renderPage(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
${body}
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
body { margin: 0; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; }
h1 { margin: 0 0 .25rem; font-size: 1.5rem; line-height: 1.3; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
a { color: var(--link); }
.muted, time, .mails span { color: var(--muted); }
.mails, iframe, pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.mails { padding: 0; list-style: none; }
.mails li { display: flex; flex-wrap: wrap; gap: .1rem 1.5rem; padding: .75rem 1rem; }
.mails li + li { border-top: 1px solid var(--line); }
.mails a { flex: 1 1 18rem; font-weight: 600; overflow-wrap: anywhere; }
.mails span { flex: 1 1 12rem; overflow-wrap: anywhere; }
iframe { display: block; width: 100%; height: 40rem; }
pre { margin: 0; padding: 1rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .875rem; }
`
