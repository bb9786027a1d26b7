import type { LightMyRequestResponse } from 'fastify'
import { v7 as uuidv7 } from 'uuid'
import type { TestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

/** Does the operation; what it needs is made before, so that only the operation itself meets the failing commit. */
export type Prepare = (app: TestApp) => Promise<() => Promise<LightMyRequestResponse | undefined>>

/** Operations of organizations, by their operationId. */
export const ORGANIZATION_OPERATIONS: Readonly<Record<string, Prepare>> = {
  createOrganization: async ({ request, signUp }) => {
    const as = await signUp()
    const headers = { 'idempotency-key': uuidv7() }
    const payload = { name: 'Analytical Engines' }
    return () => request({ method: 'POST', url: '/api/v1/organizations', as, payload, headers })
  },
  updateOrganization: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    const payload = { name: 'Difference Engines' }
    return () => app.request({ method: 'PATCH', url, as, payload })
  },
  deleteOrganization: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    return () => app.request({ method: 'DELETE', url, as })
  },
  restoreOrganization: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    await app.request({ method: 'DELETE', url, as })
    return () => app.request({ method: 'POST', url: `${url}/restore`, as })
  },
  transferOwnership: async (app) => {
    const { url, owner: as, add } = await createOrganization(app.app)
    const payload = { user_id: (await add('member')).user.id }
    return () => app.request({ method: 'POST', url: `${url}/ownership`, as, payload })
  },
  leaveOrganization: async (app) => {
    const { url, add } = await createOrganization(app.app)
    const as = await add('member')
    return () => app.request({ method: 'POST', url: `${url}/leave`, as })
  },
  updateMember: async (app) => {
    const { url, owner: as, add } = await createOrganization(app.app)
    const { user } = await add('member')
    const payload = { role: 'admin' }
    return () => app.request({ method: 'PATCH', url: `${url}/members/${user.id}`, as, payload })
  },
  removeMember: async (app) => {
    const { url, owner: as, add } = await createOrganization(app.app)
    const { user } = await add('member')
    return () => app.request({ method: 'DELETE', url: `${url}/members/${user.id}`, as })
  },
  createProject: async (app) => {
    const { url, owner: as } = await createOrganization(app.app)
    const headers = { 'idempotency-key': uuidv7() }
    const payload = { name: 'Mill' }
    return () => app.request({ method: 'POST', url: `${url}/projects`, as, payload, headers })
  },
  updateProject: async (app) => {
    const { url, owner: as, createProject } = await createOrganization(app.app)
    const { id } = await createProject()
    return () =>
      app.request({ method: 'PATCH', url: `${url}/projects/${id}`, as, payload: { name: 'Store' } })
  },
  deleteProject: async (app) => {
    const { url, owner: as, createProject } = await createOrganization(app.app)
    const { id } = await createProject()
    return () => app.request({ method: 'DELETE', url: `${url}/projects/${id}`, as })
  },
}
