/** The type of messages that test an endpoint. Nothing else has it, and no endpoint needs to choose it. */
export const TEST_TYPE = 'webhooks.test'

/** Whether an endpoint that chose these wants events of a type: `*`, `projects.*` or the type itself. */
export function isChosen(chosen: readonly string[], type: string): boolean {
  const domain = type.slice(0, type.indexOf('.'))
  return chosen.some((choice) => choice === '*' || choice === type || choice === `${domain}.*`)
}

/** Whether any of the known types can be meant. */
export function isKnown(choice: string, types: ReadonlySet<string>): boolean {
  return [...types].some((type) => isChosen([choice], type))
}
