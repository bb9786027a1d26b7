/** Whether a client asks for pages by name, as browsers do; who takes anything is a program. */
export function wantsHtml(accept = ''): boolean {
  return accept.split(',').some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    return type === 'text/html' && !parameters.some(isRefusal)
  })
}

/** `q=0` says that a type is not wanted (RFC 9110, section 12.4.2). */
function isRefusal(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=').map((part) => part.trim())
  return name === 'q' && value !== '' && Number(value) === 0
}
