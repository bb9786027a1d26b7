import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export function signatureOf(
  secret: string,
  { day, region, text }: { day: string; region: string; text: string },
): string {
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    (last, part) => createHmac('sha256', last).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  )
  return createHmac('sha256', key).update(text).digest('hex')
}

/** Whether a URL says itself that this method and these headers may be used, and is not too old. */
export function isPresigned(request: IncomingMessage, url: URL, secret: string): boolean {
  const query = Object.fromEntries(url.searchParams)
  const { 'X-Amz-Signature': signature, 'X-Amz-Date': at = '', 'X-Amz-SignedHeaders': signed = '' } = query
  const [, day = '', region = ''] = query['X-Amz-Credential']?.split('/') ?? []
  const made = at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  if (Date.now() > Date.parse(made) + Number(query['X-Amz-Expires']) * 1000) return false
  const sorted = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .sort()
    .join('&')
  const headers = signed.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`)
  const parts = [request.method, url.pathname, sorted, headers.join(''), signed, 'UNSIGNED-PAYLOAD']
  const hash = createHash('sha256').update(parts.join('\n')).digest('hex')
  const text = ['AWS4-HMAC-SHA256', at, `${day}/${region}/s3/aws4_request`, hash].join('\n')
  return signatureOf(secret, { day, region, text }) === signature
}

/** A text in a URL, as RFC 3986 has it. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
