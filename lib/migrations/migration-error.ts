/** A migration that cannot be run, or was changed after it ran. The message names the file. */
export class MigrationError extends Error {
  override name = 'MigrationError'
}
