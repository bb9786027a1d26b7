import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import type { Owner } from './database.ts'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Path of a Chromium on this machine, if there is one. */
const executablePath = process.env['CHROMIUM'] ?? PLACES.find((path) => existsSync(path))

/** Why tests that need Chromium are skipped; false where they are not. */
export const withoutChromium =
  executablePath === undefined && 'there is no Chromium (apt-get install chromium)'

/** Arguments of every browser of a test. */
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking']

/** Starts a browser without a window, which ends with `t`; `args` are arguments of its own. */
export async function startChromium(t: Owner, args: readonly string[] = []): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: executablePath ?? '',
    args: [...ARGS, ...args],
  })
  t.teardown(() => browser.close())
  return browser
}
