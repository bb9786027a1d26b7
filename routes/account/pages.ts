import { type Html, html } from '#lib/html/html.ts'
import { contactUrl, type MailSite } from '#services/mail/site.ts'

/** One of the account pages. */
export interface AccountPage {
  readonly title: string
  readonly text: string
  readonly button: string
  /** The operation that the form calls, relative to `/account/`. */
  readonly action: string
  /** The form's field; `nothing` but the link's token. */
  readonly asks: 'nothing' | 'password' | 'email' | 'invitation'
  /** The page's text on success. */
  readonly done: string
  /** The page that sends another link, for one that is not valid any more, or did not arrive. */
  readonly another?: 'forgot-password' | 'resend-verification'
  /** Advice for such a link if no page sends another. */
  readonly expired?: string
}

const VERIFY = '../api/v1/auth/email/verify'
const RESET = '../api/v1/auth/password/reset'

/** Pages by name: what links in mails lead to, and the two that ask for such a link. */
export const accountPages: Readonly<Record<string, AccountPage>> = {
  'verify-email': {
    title: 'Confirm your email address',
    text: 'Confirm that this address is yours. After that you can sign in.',
    button: 'Confirm this address',
    action: VERIFY,
    asks: 'nothing',
    done: 'Your email address is confirmed. You can sign in now.',
    another: 'resend-verification',
  },
  'confirm-email': {
    title: 'Confirm your new email address',
    text: 'Confirm that your account should use this address from now on.',
    button: 'Use this address',
    action: VERIFY,
    asks: 'nothing',
    done: 'Your account has its new email address. Sign in with it from now on.',
    expired: 'Sign in and change your email address again. You will get a new link.',
  },
  'reset-password': {
    title: 'Choose a new password',
    text: 'Saving it signs out every device that is signed in now.',
    button: 'Save the password',
    action: RESET,
    asks: 'password',
    done: 'Your password is changed. You can sign in with it now.',
    another: 'forgot-password',
  },
  'choose-password': {
    title: 'Choose a password',
    text: 'An account was created for you. Choose its password.',
    button: 'Save the password',
    action: RESET,
    asks: 'password',
    done: 'Your password is saved. You can sign in with it now.',
    another: 'forgot-password',
  },
  'accept-invitation': {
    title: 'You are invited to an organization',
    text: 'The members of this organization would like you to join them.',
    button: 'Accept the invitation',
    action: '../api/v1/invitations',
    asks: 'invitation',
    done: 'You are a member now. After signing in you see the organization.',
    expired: 'Ask the organization to send the invitation again.',
  },
  'forgot-password': {
    title: 'Forgot your password?',
    text: 'Enter the email address of your account. We will send you a link to choose a new password.',
    button: 'Send the link',
    action: '../api/v1/auth/password/forgot',
    asks: 'email',
    done: 'If there is an account with this address, the mail is on its way. It may take a few minutes; check your spam folder too.',
    another: 'forgot-password',
  },
  'resend-verification': {
    title: 'Confirm your email address',
    text: 'Enter the email address that you registered with. We will send you a new link to confirm it.',
    button: 'Send a new link',
    action: '../api/v1/auth/email/resend',
    asks: 'email',
    done: 'If this address is waiting for confirmation, the mail is on its way. It may take a few minutes; check your spam folder too.',
    another: 'resend-verification',
  },
}

/** The product's facts that pages show. */
type Site = Pick<MailSite, 'name' | 'signIn' | 'support'>

/**
 * Renders a page; without a script it can only say so, because the token is where only a script finds it.
 *
 * @param up leads from the page's URL to `/account/`, for URLs that have more slashes
 */
export function renderAccountPage(page: AccountPage, site: Site, up = ''): string {
  const { title, text, button, action, asks, done, another } = page
  return renderPage(
    title,
    site,
    up,
    asks === 'invitation' ? 'invitation.js' : 'account.js',
    html`<noscript><p class="problem">This page needs JavaScript. Please turn it on and load the page again.</p></noscript>
<form method="post" data-action="${up}${action}" data-asks="${asks}" hidden novalidate>
<p>${text}</p>
${FIELDS[asks]}
<div class="problem" role="alert" hidden></div>
<button type="submit">${button}</button>
${asks === 'invitation' ? DECLINE : html``}
</form>
${asks === 'invitation' ? renderDeclined(site) : html``}
${renderMissing(page, up)}
${renderInvalid(page, site, up)}
<div class="done" role="status" tabindex="-1" hidden>
<p>${done}</p>
${asks === 'email' && another ? html`<p>No mail? <a href="${up}${another}">Check the address and ask again</a></p>` : html``}
${renderSignIn(site)}
</div>`,
  )
}

/** The page for URLs below `/account` that lead nowhere. */
export function renderUnknownPage(site: Site, up: string): string {
  return renderPage(
    'This page does not exist',
    site,
    up,
    'account.js',
    html`<p>The address is wrong, or your mail program has cut or changed the link. Open the link in the mail again, or copy the whole of it into the address bar.</p>
<ul class="steps">
<li><a href="${up}forgot-password">Get a link to choose a new password</a></li>
<li><a href="${up}resend-verification">Get a new link to confirm your email address</a></li>
${site.signIn === undefined ? html`` : html`<li><a href="${site.signIn}">Sign in to ${site.name}</a></li>`}
</ul>`,
  )
}

/** The page for a link to a file that does not work. */
export function renderLostFile(site: Site, up: string): string {
  return renderPage(
    'This link does not work',
    site,
    up,
    'account.js',
    html`<p>The link has expired, the file was deleted or replaced, or a program has cut or changed the link. Copy the whole of it into the address bar, or ask the sender for a new one.</p>`,
  )
}

/** For a page that was opened without a token. */
function renderMissing({ asks, another, expired }: AccountPage, up: string): Html {
  if (asks === 'email') return html``
  return html`<div class="missing" hidden>
<p>This link is not complete. Open the link in the mail again; if your mail program has cut it, copy the whole of it into the address bar.</p>
${renderAnother(another, expired, up)}
</div>`
}

/** For a token that was refused: no other try with it can do better. */
function renderInvalid({ asks, another, expired }: AccountPage, site: Site, up: string): Html {
  if (asks === 'email') return html``
  return html`<div class="invalid" role="alert" tabindex="-1" hidden>
<p class="problem">This link is not valid any more. It was used already, a newer mail has replaced it, or it has expired.</p>
${renderAnother(another, expired, up)}
${renderSignIn(site, 'second')}
</div>`
}

function renderAnother(another: AccountPage['another'], expired: string | undefined, up: string): Html {
  if (another === undefined) return expired === undefined ? html`` : html`<p>${expired}</p>`
  return html`<p><a class="action" href="${up}${another}">Send a new link</a></p>`
}

function renderDeclined(site: Site): Html {
  return html`<div class="declined" role="status" tabindex="-1" hidden>
<p>You have declined the invitation. You can close this page. If it was a mistake, ask the organization to send the invitation again.</p>
${renderSignIn(site, 'second')}
</div>`
}

function renderSignIn({ name, signIn }: Site, kind = 'action'): Html {
  if (signIn === undefined) return html``
  return html`<p><a class="${kind}" href="${signIn}">Sign in to ${name}</a></p>`
}

function renderPage(
  title: string,
  { name, signIn, support }: Site,
  up: string,
  script: string,
  body: Html,
): string {
  const help = support && html`Questions? <a href="${contactUrl(support)}">${support}</a>`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${title} - ${name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${up}account.css">
<script type="module" src="${up}${script}"></script>
</head>
<body>
<header>${signIn === undefined ? html`<span>${name}</span>` : html`<a href="${signIn}">${name}</a>`}</header>
<main>
<h1>${title}</h1>
${body}
</main>
${help ? html`<footer>${help}</footer>` : html``}
</body>
</html>
`.markup
}

/** @param attributes of the field's box; one of a page whose script decides is hidden */
const passwordField = (label: string, attributes = html``) => html`<div class="field"${attributes}>
<label for="password">${label}</label>
<input id="password" name="password" type="password" autocomplete="new-password" required aria-describedby="password-hint password-error">
<p id="password-hint" class="hint">At least 8 characters. A few words make a good one.</p>
<p id="password-error" class="error" role="alert" hidden></p>
<label class="show"><input type="checkbox" name="show"> Show the password</label>
</div>`

const USERNAME = html`<div class="field" hidden>
<label for="username">User name</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" required aria-describedby="username-hint username-error">
<p id="username-hint" class="hint">3 to 50 letters, digits, dots, hyphens or underscores. Others can see it.</p>
<p id="username-error" class="error" role="alert" hidden></p>
</div>`

/** The script fills in who invites, and shows the fields that are needed. */
const INVITATION = html`<dl>
<dt>Organization</dt><dd data-part="organization_name"></dd>
<dt>Your role</dt><dd data-part="role"></dd>
<dt>Your address</dt><dd data-part="email"></dd>
</dl>
<p class="why-account" hidden>There is no account with this address yet. Choose its name and password.</p>
<p class="why-password" hidden>Nobody has confirmed this address for its account yet. Choose a new password for it.</p>
${USERNAME}
${passwordField('Password', html` hidden`)}`

const DECLINE = html`<button type="button" name="decline" class="second">Decline</button>`

const FIELDS: Readonly<Record<AccountPage['asks'], Html>> = {
  nothing: html``,
  password: passwordField('New password'),
  invitation: INVITATION,
  email: html`<div class="field">
<label for="email">Email address</label>
<input id="email" name="email" type="email" autocomplete="email" inputmode="email" autocapitalize="none" spellcheck="false" required aria-describedby="email-error">
<p id="email-error" class="error" role="alert" hidden></p>
</div>`,
}
