/**
 * Returns the row of a statement that always has one, as a count has.
 *
 * @throws TypeError for any other number of rows, which is a fault of the statement
 */
export function onlyRow<Row>(rows: readonly Row[]): Row {
  const [row, ...others] = rows
  if (row === undefined || others.length > 0)
    throw new TypeError(`there are ${rows.length} rows in place of one`)
  return row
}
