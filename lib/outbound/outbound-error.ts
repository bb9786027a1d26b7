/** Why a message was not delivered, without a word of what lies behind the address. */
export const OUTBOUND_FAULTS = [
  // The URL is not one that messages are sent to.
  'blocked_url',
  // The host has an address that is not of the public internet.
  'blocked_address',
  // The host has no address, or name servers don't answer.
  'dns_error',
  // Nothing listens there, or the connection broke.
  'connection_error',
  // The certificate is not valid for the host, or there is no TLS.
  'tls_error',
  // There was no answer in time.
  'timeout',
  // The answer is not HTTP.
  'protocol_error',
] as const
export type OutboundFault = (typeof OUTBOUND_FAULTS)[number]

/** A message was not delivered. Its text is the fault alone, so the customer who chose the address may see it. */
export class OutboundError extends Error {
  override name = 'OutboundError'
  readonly fault: OutboundFault

  constructor(fault: OutboundFault, cause?: unknown) {
    super(fault, { cause })
    this.fault = fault
  }
}
