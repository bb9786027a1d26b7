/** A store of objects did not do what it was asked for; the message says what it said. */
export class ObjectStoreError extends Error {
  override name = 'ObjectStoreError'
}

/** The store has no such object. */
export class ObjectMissing extends ObjectStoreError {
  override name = 'ObjectMissing'
}

/** The store has other bytes under a key than it should. */
export class ObjectDamaged extends ObjectStoreError {
  override name = 'ObjectDamaged'
}
