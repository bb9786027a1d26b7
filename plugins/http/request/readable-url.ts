/** Beginning of the URLs that mails lead to. */
const PAGES = '/account/'

/**
 * Returns the URL of a page with its escapes as text where they can't be read: mail programs encode the `#` of a link and
 * then cut it in the middle (`%2`). The reader is to see the page, which says what to do, and not a problem document.
 */
export function readableUrl(url: string): string {
  if (!url.startsWith(PAGES) || !url.includes('%')) return url
  try {
    decodeURI(url)
    return url
  } catch {
    return url.replaceAll('%', '%25')
  }
}
