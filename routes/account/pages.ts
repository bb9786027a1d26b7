import { type Html, html } from '../../services/html/html.ts'

/** One of the pages that links in mails lead to. */
export interface AccountPage {
  readonly title: string
  readonly text: string
  readonly button: string
  /** The operation that takes the token, relative to the page. */
  readonly action: string
  /** Whether it asks for a new password. */
  readonly asksPassword: boolean
  /** What it says when all went well. */
  readonly done: string
}

const VERIFY = '../api/v1/auth/email/verify'
const RESET = '../api/v1/auth/password/reset'

export const accountPages: Readonly<Record<string, AccountPage>> = {
  'verify-email': {
    title: 'Confirm your email address',
    text: 'Confirm that this address is yours. After that you can sign in.',
    button: 'Confirm this address',
    action: VERIFY,
    asksPassword: false,
    done: 'Your email address is confirmed. You can sign in now.',
  },
  'confirm-email': {
    title: 'Confirm your new email address',
    text: 'Confirm that your account is to have this address from now on.',
    button: 'Use this address',
    action: VERIFY,
    asksPassword: false,
    done: 'Your account has its new email address. Sign in with it from now on.',
  },
  'reset-password': {
    title: 'Choose a new password',
    text: 'With the new password, every device that is signed in now is signed out.',
    button: 'Save the password',
    action: RESET,
    asksPassword: true,
    done: 'Your password is changed. You can sign in with it now.',
  },
  'choose-password': {
    title: 'Choose a password',
    text: 'It is for the account that was made for you.',
    button: 'Save the password',
    action: RESET,
    asksPassword: true,
    done: 'Your password is saved. You can sign in with it now.',
  },
}

/** The page; without a script it can only say so, for the token is where only a script finds it. */
export function renderAccountPage({ title, text, button, action, asksPassword, done }: AccountPage): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="account.css">
<script type="module" src="account.js"></script>
</head>
<body>
<main>
<h1>${title}</h1>
<noscript><p class="problem">This page needs JavaScript.</p></noscript>
<form method="post" data-action="${action}" hidden novalidate>
<p>${text}</p>
${asksPassword ? PASSWORD : html``}
<div class="problem" role="alert" hidden></div>
<button type="submit">${button}</button>
</form>
<p class="missing" hidden>This page is opened by the link in a mail. Open that link again; if your mail program has cut it, copy the whole of it into the address bar.</p>
<p class="done" role="status" tabindex="-1" hidden>${done}</p>
</main>
</body>
</html>
`.markup
}

const PASSWORD: Html = html`<div class="field">
<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" required aria-describedby="password-hint password-error">
<p id="password-hint" class="hint">At least 8 characters; a few words make a good one.</p>
<p id="password-error" class="error" hidden></p>
<label class="show"><input type="checkbox" name="show"> Show the password</label>
</div>`
