/** A range of media types that is `text/html`, with its parameters. */
const HTML = /(?:^|,)\s*text\/html\s*((?:;[^,]*)?)(?:,|$)/i

/** Whether a client asks for pages by name, as browsers do; who takes anything is a program. */
export function wantsHtml(accept: string | undefined): boolean {
  const parameters = HTML.exec(accept ?? '')?.[1]
  return parameters !== undefined && !/;\s*q\s*=\s*0(?:\.0*)?\s*(?:;|$)/i.test(parameters)
}
