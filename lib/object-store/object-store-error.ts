/** A store of objects did not do what it was asked for; the message says what it said. */
export class ObjectStoreError extends Error {
  override name = 'ObjectStoreError'
}

/** The store has no such object. */
export class ObjectMissing extends ObjectStoreError {
  override name = 'ObjectMissing'
}
