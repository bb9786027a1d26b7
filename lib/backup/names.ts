/** The files of one backup, by their names: `DATABASE-20261124T154900Z` and what they end with. */
export interface BackupName {
  readonly stem: string
  readonly dump: string
  /** The contents of files that its rows name. */
  readonly inventory: string
  readonly manifest: string
}

/** The files found of one backup. */
export interface FoundBackup extends BackupName {
  /** Whether its inventory is there. */
  readonly hasInventory: boolean
  /** Whether its manifest is there, which is written last. */
  readonly complete: boolean
}

const PATTERN = /^([\w-]+)-(\d{8}T\d{6}Z)\.(dump|files|json)$/

/** Names the backup of a database at a time; names sort by time. */
export function nameBackup(database: string, at: Date): BackupName {
  const time = at.toISOString().replace(/[-:]|\.\d+/g, '')
  return fromStem(`${plain(database)}-${time}`)
}

/** Finds backups among file names, oldest first: those of one database, or of all. */
export function findBackups(files: readonly string[], database?: string): FoundBackup[] {
  const found = new Map<string, { time: string; endings: Set<string | undefined> }>()
  for (const file of files) {
    const [, owner, time = '', ending] = PATTERN.exec(file) ?? []
    if (owner === undefined || (database !== undefined && owner !== plain(database))) continue
    const stem = `${owner}-${time}`
    found.set(stem, { time, endings: new Set(found.get(stem)?.endings).add(ending) })
  }
  return [...found]
    .sort(([, a], [, b]) => (a.time < b.time ? -1 : 1))
    .map(([stem, { endings }]) => ({
      ...fromStem(stem),
      complete: endings.has('json'),
      hasInventory: endings.has('files'),
    }))
}

function fromStem(stem: string): BackupName {
  return { stem, dump: `${stem}.dump`, inventory: `${stem}.files`, manifest: `${stem}.json` }
}

/** Names that every file system and object store accepts. */
function plain(database: string): string {
  return database.replace(/[^\w-]/g, '_')
}
