import type { CloudEvent } from './envelope.ts'

/** Stands for the organization of an event that has none. */
const PLATFORM = 'platform'

/** Returns an event's subject without the prefix: its type and its organization, `projects.created.<id>`. */
export function subjectOf({ type, organizationid = PLATFORM }: CloudEvent): string {
  return `${type}.${organizationid}`
}

/** Whether a text can select subjects: parts with dots between, `*` for any one part, `>` for all that follow. */
export function isFilter(text: string): boolean {
  return /^(?:(?:[\w-]+|\*)\.)*(?:[\w-]+|\*|>)$/.test(text)
}

/** Whether a filter selects a subject, as NATS has it. */
export function selects(filter: string, subject: string): boolean {
  const [wanted, parts] = [filter.split('.'), subject.split('.')]
  if (wanted.at(-1) === '>') {
    if (parts.length < wanted.length) return false
    wanted.pop()
  } else if (parts.length !== wanted.length) return false
  return wanted.every((part, index) => part === '*' || part === parts[index])
}
