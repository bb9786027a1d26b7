import { Type } from '@sinclair/typebox'
import { Section } from './kinds.ts'

/** Keys below `admin`. */
export const AdminSettings = Section('The admin panel (docs/admin.md).', {
  panel: Type.Boolean({
    description:
      'Serve the admin panel under `/admin`. Admins of the service sign in there; browsers need https for it, except on this machine.',
  }),
})
