/** RFC 6750 section 2.1, with the characters of a JWT. */
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i

/** Gives the token of an `Authorization` header; undefined when it holds none that could be ours. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : BEARER.exec(header)?.[1]
}
