import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** The versions that `If-Match` lets a change apply to; undefined when it lets any. */
    expectedVersions(): string[] | undefined
  }
  interface FastifyReply {
    /** Sends a resource with its `ETag`, or 304 when `If-None-Match` says that the client has all of it. */
    sendVersioned<T extends { updated_at: string }>(resource: T): FastifyReply
  }
}

/** Entity tags of one header that are looked at, the first; clients have one or two. */
const MAX_TAGS = 64

/**
 * Our entity tags: the resource's `updated_at`. A proxy that compresses makes them weak (nginx, HAProxy) or adds the
 * coding's name (Apache `-gzip`, Jetty `--gzip`). They name versions and not bytes, so they still count.
 */
const ENTITY_TAG = /^(?:W\/)?"(\d{4}-\d\d-\d\dT[\d:.]{12}Z)(?:--?[a-z]{2,10})?"$/

/** Entity tags and preconditions (RFC 9110 sections 8.8.3 and 13.1). */
export default fp(
  async (app) => {
    app.decorateRequest('expectedVersions', function () {
      const header = this.headers['if-match']
      if (header === undefined || header.trim() === '*') return undefined
      // Tags that can't be ours match nothing, so they are left out.
      return header.split(',', MAX_TAGS).flatMap((tag) => versionOf(tag.trim()) ?? [])
    })

    app.decorateReply('sendVersioned', function (this: FastifyReply, resource) {
      const tag = entityTag(resource.updated_at)
      this.header('etag', tag)
      const candidates = this.request.headers['if-none-match']?.split(',', MAX_TAGS) ?? []
      const isKnown = candidates.some((candidate) => {
        const text = candidate.trim()
        return text === '*' || ENTITY_TAG.exec(text)?.[1] === resource.updated_at
      })
      const { method, routeOptions } = this.request
      const isRead = method === 'GET' || method === 'HEAD'
      const isWhole = routeOptions.config.versioned !== 'partly'
      return isKnown && isRead && isWhole ? this.code(304).send() : this.send(resource)
    })
  },
  { name: 'conditional-requests' },
)

/** The tag of a resource that was last changed at this time. */
export function entityTag(version: string): string {
  return `"${version}"`
}

function versionOf(tag: string): string | undefined {
  const version = ENTITY_TAG.exec(tag)?.[1]
  if (version === undefined) return undefined
  const time = new Date(version)
  // The 30th of February is a time for JavaScript, and none for PostgreSQL.
  return !Number.isNaN(time.getTime()) && time.toISOString() === version ? version : undefined
}
