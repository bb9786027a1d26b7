import type { FastifyContextConfig } from 'fastify'
import {
  FileParams,
  FileVariantParams,
  OrganizationFileParams,
  OrganizationFileVariantParams,
} from '#schemas/files.ts'
import { OrganizationParams } from '#schemas/organizations.ts'

type Permission = 'files:read' | 'files:write' | 'files:delete' | 'files:share'

/** Whose files some routes are about. The same routes are there twice: for one's own, and for an organization's. */
export interface Space {
  /** The URL's parameters, of all files and of one. */
  readonly params: typeof OrganizationParams | undefined
  readonly fileParams: typeof FileParams | typeof OrganizationFileParams
  readonly variantParams: typeof FileVariantParams | typeof OrganizationFileVariantParams
  /** Where they are, in words. */
  readonly whose: string
  /** The name of an operation: `listFiles`, `listOrganizationFiles`. */
  operation(name: string): string
  /** The route's permission, where there is one. */
  allow(permission: Permission): Pick<FastifyContextConfig, 'permission'>
}

export const OWN: Space = {
  params: undefined,
  fileParams: FileParams,
  variantParams: FileVariantParams,
  whose: 'your own files',
  operation: (name) => name,
  allow: () => ({}),
}

export const ORGANIZATION: Space = {
  params: OrganizationParams,
  fileParams: OrganizationFileParams,
  variantParams: OrganizationFileVariantParams,
  whose: "the organization's files",
  operation: (name) => name.replace(/(?=File|Storage|Upload)/, 'Organization'),
  allow: (permission) => ({ permission }),
}
