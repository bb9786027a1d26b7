/** Characters of a token: 256 bits in base64url. */
const LENGTH = 43

/**
 * Finds the token in a link, also in one that a mail program has altered: `#` or `=` encoded, several times over, or as
 * HTML has them; line breaks, what quoted-printable or a quoted mail (`>`) leaves of them, or characters that only mark
 * where a word may break; punctuation, words or parameters behind it.
 *
 * @param {string} link the URL that the page was opened with
 * @returns {string | undefined} undefined when the link holds no whole token
 */
export function findToken(link) {
  const [, rest = ''] = /[^\w-]token\s*(?:=|&equals;|&#0*61;|&#x0*3d;)(.*)$/is.exec(decode(link)) ?? []
  const run = /^[\w-]*/.exec(rest.replace(/[\s=>\u00ad\u200b-\u200d\u2060]/g, ''))?.[0] ?? ''
  // A `=` of quoted-printable that nobody decoded.
  const token = run.startsWith('3D') && run.length >= LENGTH + 2 ? run.slice(2) : run
  return token.length >= LENGTH ? token.slice(0, LENGTH) : undefined
}

/** Undoes percent-encoding as often as it was done, within reason. */
function decode(link) {
  let text = link
  for (let turn = 0; turn < 3; turn++) text = text.replace(/(?:%[0-9a-f]{2})+/gi, decodeOnce)
  return text
}

function decodeOnce(codes) {
  try {
    return decodeURIComponent(codes)
  } catch {
    return codes
  }
}
