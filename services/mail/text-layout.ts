import type { Block, MailContent } from './content.ts'
import type { MailSite } from './site.ts'

/** The mail for readers who see no HTML. */
export function renderText(site: MailSite, { title, blocks }: MailContent): string {
  return `${[title, ...blocks.map(renderBlock), renderFooter(site)].join('\n\n')}\n`
}

function renderFooter({ name, signIn, support }: MailSite): string {
  const lines = ['-- ', `${name} sent this mail automatically.`]
  if (signIn !== undefined) lines.push(signIn)
  if (support !== undefined) lines.push(`Support: ${support}`)
  return lines.join('\n')
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'button':
      return `${block.label}:\n${block.url}`
    case 'step':
      return `${block.question} ${block.label}:\n${block.url}`
    case 'facts':
      return block.rows.map(([label, value]) => `${label}: ${oneLine(value)}`).join('\n')
    default:
      return oneLine(block.text)
  }
}

/** Values can't make lines that look like ours. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}
