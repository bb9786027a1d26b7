import type { Block, MailContent } from './content.ts'

/** The mail for readers who see no HTML. */
export function renderText({ title, blocks }: MailContent): string {
  return `${[title, ...blocks.map(renderBlock), '-- \nThis mail was sent automatically.'].join('\n\n')}\n`
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'button':
      return `${block.label}:\n${block.url}`
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
