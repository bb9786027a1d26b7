/** Where backups are kept. A file is there whole or not at all, under its name. */
export interface BackupStore {
  /** For people: the directory, or the address. */
  readonly place: string
  /** The names of all files there. */
  list(): Promise<string[]>
  /** Writes a file from its pieces; one whose source fails is not there afterwards. */
  write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void>
  /** @throws BackupError when there is no such file. */
  read(name: string): Promise<AsyncIterable<Uint8Array>>
  remove(name: string): Promise<void>
}
