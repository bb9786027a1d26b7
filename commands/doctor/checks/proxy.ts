import { type Check, type Finding, problem, warning } from '../check.ts'

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])$/

const check: Check = {
  name: 'proxy',
  reads: ['environment', 'server.public_url', 'server.trusted_proxies'],
  async run({ config: { server }, strict }) {
    const { public_url, trusted_proxies } = server
    const findings: Finding[] = []
    const everybody = trusted_proxies.filter((range) => /\/[0-7]$/.test(range))
    if (everybody.length > 0) {
      findings.push(
        problem(
          `server.trusted_proxies trusts half the world (${everybody.join(', ')}).`,
          'Any client can name any address as its own, and so escape every limit for addresses.',
          "Name the proxies' own addresses in APP_SERVER__TRUSTED_PROXIES.",
        ),
      )
    }
    if (public_url === undefined) {
      if (strict) {
        findings.push(
          warning(
            'server.public_url is not set.',
            "The API document, and links in mails, lead to the reader's own machine.",
            'Set APP_SERVER__PUBLIC_URL to the address that clients use.',
          ),
        )
      }
      return findings
    }
    const { protocol, hostname } = new URL(public_url)
    if (LOOPBACK.test(hostname)) return findings
    if (strict && protocol === 'http:') {
      findings.push(
        problem(
          `server.public_url is ${public_url}: clients come without TLS.`,
          'Passwords and tokens can be read on their way.',
          'Have a proxy with TLS in front, and set APP_SERVER__PUBLIC_URL to its https address.',
        ),
      )
    }
    if (protocol === 'https:' && trusted_proxies.length === 0) {
      findings.push(
        problem(
          'Clients come by https, which a proxy must end, and server.trusted_proxies is empty.',
          "All clients seem to have one address, the proxy's, and share one rate limit and one count of wrong passwords.",
          "Set APP_SERVER__TRUSTED_PROXIES to the proxy's address (`loopback` for one on this machine).",
        ),
      )
    }
    return findings
  },
}
export default check
