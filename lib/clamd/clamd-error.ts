/** clamd could not be asked, or did not answer in time: nothing is known of what it was given. */
export class ClamdUnavailable extends Error {
  override name = 'ClamdUnavailable'
}

/** clamd answered, and not with a verdict; the message is what it said. */
export class ClamdRefused extends Error {
  override name = 'ClamdRefused'
}
