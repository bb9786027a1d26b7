import { Html, html } from '#lib/html/html.ts'
import type { Block, MailContent } from './content.ts'
import { contactUrl, type MailSite } from './site.ts'

/** Styles that can't be inline. Clients without media queries show the light colours. */
const STYLE = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
a { color: #1d4ed8; }
@media (max-width: 480px) {
  .page { padding: 0 !important; }
  .name { padding: 20px 20px 14px !important; }
  .card { border-radius: 0 !important; border-left: 0 !important; border-right: 0 !important; padding: 28px 20px !important; }
  .button a { display: block !important; text-align: center !important; }
}
@media (prefers-color-scheme: dark) {
  .page, body { background: #0f1216 !important; }
  .card { background: #181c22 !important; border-color: #2b313a !important; }
  .title, .text { color: #e8eaed !important; }
  .muted, .label { color: #a3abb6 !important; }
  .facts { border-color: #2b313a !important; }
  .facts td { border-color: #2b313a !important; }
  .value { color: #e8eaed !important; }
  .button { background: #3b6fe0 !important; }
  a { color: #8ab4f8 !important; }
  .button a { color: #ffffff !important; }
}
`

const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"

/** The mail in HTML: tables and inline styles, because mail clients understand nothing else; no images. */
export function renderHtml(site: MailSite, { title, blocks }: MailContent): string {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body style="margin:0;padding:0;background:#f3f4f6">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f4f6" class="page">
<tr><td align="center" style="padding:32px 12px" class="page">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px">
<tr><td class="title name" style="${FONT};padding:0 0 16px;font-size:16px;line-height:24px;font-weight:600;color:#16191d;text-align:left;overflow-wrap:anywhere">${renderName(site)}</td></tr>
<tr><td class="card" style="background:#ffffff;border:1px solid #e3e6ea;border-radius:12px;padding:36px 40px">
<h1 class="title" style="${FONT};margin:0 0 20px;font-size:22px;line-height:30px;font-weight:600;color:#16191d;overflow-wrap:anywhere">${title}</h1>
${blocks.map(renderBlock)}
</td></tr>
<tr><td class="muted" align="center" style="${FONT};padding:20px;font-size:12px;line-height:18px;color:#5f6874;overflow-wrap:anywhere">${renderFooter(site)}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`
  return document.markup
}

function renderName({ name, signIn }: MailSite): Html {
  if (signIn === undefined) return html`${name}`
  return html`<a class="title" href="${signIn}" style="color:#16191d;text-decoration:none">${name}</a>`
}

function renderFooter({ name, support }: MailSite): Html {
  const sender = html`${name} sent this mail automatically.`
  if (support === undefined) return sender
  return html`${sender}<br>Questions? <a href="${contactUrl(support)}">${support}</a>`
}

function renderBlock(block: Block): Html {
  switch (block.kind) {
    case 'paragraph':
      return html`<p class="text" style="${FONT};margin:0 0 16px;font-size:16px;line-height:25px;color:#2b3036;overflow-wrap:anywhere">${block.text}</p>
`
    case 'button':
      return renderButton(block.label, block.url)
    case 'step':
      return html`<p class="muted" style="${FONT};margin:0 0 12px;font-size:14px;line-height:21px;color:#5f6874;overflow-wrap:anywhere">${block.question} <a href="${block.url}">${block.label}</a></p>
`
    case 'facts':
      return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" class="facts" style="margin:8px 0 24px;border-top:1px solid #e3e6ea">
${block.rows.map(renderFact)}</table>
`
    case 'note':
      return html`<p class="muted" style="${FONT};margin:0 0 12px;font-size:14px;line-height:21px;color:#5f6874;overflow-wrap:anywhere">${block.text}</p>
`
  }
}

function renderButton(label: string, url: string): Html {
  return html`<table role="presentation" cellpadding="0" cellspacing="0" style="margin:8px 0 24px" width="100%"><tr><td>
<table role="presentation" cellpadding="0" cellspacing="0" class="button-box"><tr><td class="button" style="background:#1d4ed8;border-radius:8px">
<a href="${url}" style="${FONT};display:inline-block;padding:13px 24px;font-size:16px;line-height:20px;font-weight:600;color:#ffffff;text-decoration:none;overflow-wrap:anywhere">${label}</a>
</td></tr></table>
</td></tr></table>
<p class="muted" style="${FONT};margin:0 0 20px;font-size:13px;line-height:20px;color:#5f6874">Or open this address in your browser:<br><a href="${url}" style="overflow-wrap:anywhere;word-break:break-all">${url}</a></p>
`
}

function renderFact([label, value]: readonly [string, string]): Html {
  return html`<tr>
<td class="label" valign="top" style="${FONT};padding:10px 16px 10px 0;border-bottom:1px solid #e3e6ea;font-size:14px;line-height:21px;color:#5f6874;white-space:nowrap">${label}</td>
<td class="value" width="100%" valign="top" style="${FONT};padding:10px 0;border-bottom:1px solid #e3e6ea;font-size:14px;line-height:21px;color:#16191d;overflow-wrap:anywhere">${value}</td>
</tr>
`
}
