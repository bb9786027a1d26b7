import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { parseDatabaseUrl } from '#config/engine/database-url.ts'
import type { Config } from '#config/schema/schema.ts'
import { type Check, type Finding, off, problem, unchecked, warning, wordsOf } from '../check.ts'

const DAY_MS = 86_400_000
/** Days: renewal by itself comes at thirty. */
const SOON_DAYS = 14

/** Milliseconds. */
const TIMEOUT_MS = 8000

const check: Check = {
  name: 'TLS',
  reads: ['database', 'files', 'server.public_url'],
  async run({ config, strict }) {
    const { database } = config
    const findings = [...(strict ? checkMode(database) : []), ...(await checkFiles(database))]
    const served = servedOrigins(config)
    findings.push(...(await Promise.all(served.map((origin) => checkServed(new URL(origin))))).flat())
    const isUsed =
      strict ||
      served.length > 0 ||
      database.tls_ca_file !== undefined ||
      database.tls_cert_file !== undefined
    if (isUsed) return findings
    const why = 'server.public_url does not begin with https, and database.tls has no files.'
    return [off('There are no certificates to look at.', why, 'Set APP_SERVER__PUBLIC_URL.')]
  },
}
export default check

/** The origins that clients reach by https: of the service, of links to files, and of the store that they are sent to. */
function servedOrigins({ files, server }: Config): string[] {
  const isSentToStore = files.store === 's3' && files.s3.download === 'redirect'
  const urls = [
    server.public_url,
    ...(files.store === 'none' ? [] : [files.public_url]),
    ...(isSentToStore ? [files.s3.public_endpoint] : []),
  ]
  const origins = urls.flatMap((url) => (url?.startsWith('https:') ? [new URL(url).origin] : []))
  return [...new Set(origins)]
}

function checkMode({ tls, url = '' }: Config['database']): Finding[] {
  const address = parseDatabaseUrl(url)
  const hostname = typeof address === 'string' ? '' : address.host
  if (tls === 'verify' || /^(?:127\.\d+\.\d+\.\d+|localhost|::1|\/.*|)$/.test(hostname)) return []
  return [
    warning(
      tls === 'off'
        ? `Connections to the database at ${hostname} are not encrypted.`
        : `The certificate of the database at ${hostname} is not checked.`,
      'Anyone on the network in between can read the traffic, or answer in its place.',
      'Set APP_DATABASE__TLS=verify, and APP_DATABASE__TLS_CA_FILE; leave it where the network is yours alone.',
    ),
  ]
}

async function checkFiles({ tls_ca_file, tls_cert_file }: Config['database']): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const file of [tls_ca_file, tls_cert_file]) {
    if (file === undefined) continue
    try {
      findings.push(...checkDates(file, new X509Certificate(await readFile(file)).validToDate))
    } catch (error) {
      findings.push(
        problem(
          `${file} is not a readable certificate: ${wordsOf(error)}`,
          'The service cannot connect to the database.',
          'Correct the path, or put a certificate (PEM) there that this user can read.',
        ),
      )
    }
  }
  return findings
}

function checkDates(place: string, end: Date): Finding[] {
  const days = Math.floor((end.getTime() - Date.now()) / DAY_MS)
  if (days >= SOON_DAYS) return []
  return [
    problem(
      days < 0
        ? `The certificate of ${place} has expired, on ${end.toISOString()}.`
        : `The certificate of ${place} expires in ${days} days.`,
      'Clients refuse to connect once it has.',
      'Renew it, and see why that did not happen by itself.',
    ),
  ]
}

async function checkServed({ hostname, port, origin }: URL): Promise<Finding[]> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const { promise, resolve, reject } = Promise.withResolvers<{ end: Date; fault: string | undefined }>()
  const socket = connect({
    host,
    port: Number(port) || 443,
    ...(isIP(host) ? {} : { servername: host }),
    // So that its dates can be told too; what is wrong with it is told below.
    rejectUnauthorized: false,
  })
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')))
  socket.once('error', reject)
  socket.once('secureConnect', () => {
    const end = new Date(socket.getPeerCertificate().valid_to)
    resolve({ end, fault: socket.authorized ? undefined : String(socket.authorizationError) })
  })
  try {
    const { end, fault } = await promise
    const dates = checkDates(origin, end)
    if (dates.length > 0 || fault === undefined) return dates
    return [
      problem(
        `Clients cannot trust the certificate of ${origin}: ${fault}`,
        'They refuse to connect.',
        'Serve one for this name, with the whole chain, from an authority that they know.',
      ),
    ]
  } catch (error) {
    return [
      unchecked(
        `${origin} cannot be reached from here: ${wordsOf(error)}`,
        'Perhaps clients cannot either; from inside a network that may be as it should.',
        'Try it from outside; see that the proxy runs and that the name leads to it.',
      ),
    ]
  } finally {
    socket.destroy()
  }
}
