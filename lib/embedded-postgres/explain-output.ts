/** Advice on messages of PostgreSQL's programs, which are run in English. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /initialized by PostgreSQL version|database files are incompatible/,
    'The data there are of another version of PostgreSQL. Dump them with that version and restore the dump, or, if ' +
      'they may be lost, remove the directory.',
  ],
  [/No space left on device/, 'The disk is full: make room.'],
  [
    /Permission denied|has wrong ownership|could not change permissions/,
    'The user of this process may not use the directory: make that user its owner (chown -R), or run as its owner.',
  ],
  [
    /could not locate a valid checkpoint record|invalid (?:primary )?checkpoint|could not open file "global\/pg_control"/,
    'The data are damaged: restore a backup, or, if they may be lost, remove the directory.',
  ],
]

/** Returns the output of initdb or postgres, with advice if there is any. */
export function explainOutput(output: string): string {
  const text = output.trim()
  const advice = ADVICE.find(([pattern]) => pattern.test(text))?.[1]
  return advice === undefined ? text : `${text}\n${advice}`
}
