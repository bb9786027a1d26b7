import { Type } from '@sinclair/typebox'
import { Section, Text } from './kinds.ts'

/** Keys below `admin`. */
export const AdminSettings = Section('The admin panel (docs/admin.md).', {
  panel: Type.Boolean({
    description:
      'Serve the admin panel under `/admin`. Admins of the service sign in there; browsers need https for it, except on this machine.',
  }),
  address: Type.Optional(
    Text({
      format: 'listen-address',
      description:
        'A listener of its own for the panel and the API that it calls, such as `127.0.0.1:9090`; without it, the panel is served where the API is. Let only those reach it who may see the page for signing in.',
    }),
  ),
})
