const UNDEFINED_TABLE = '42P01'

/** Returns the result of `read`, or nothing if the table that it reads does not exist yet. */
export async function emptyWithoutTable<T>(read: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await read()
  } catch (error) {
    if (isUndefinedTable(error)) return []
    throw error
  }
}

/** The driver's error may come wrapped in ours. */
function isUndefinedTable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && error.code === UNDEFINED_TABLE) || isUndefinedTable(error.cause)
}
