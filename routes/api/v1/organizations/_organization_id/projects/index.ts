import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { InvalidCursor } from '#lib/pagination/errors.ts'
import { OrganizationParams } from '#schemas/organizations.ts'
import { CreateProject, ListProjectsQuery, Project, ProjectPage } from '#schemas/projects.ts'
import { ref } from '#schemas/registry.ts'
import { ProjectNameTaken } from '#services/projects/errors.ts'
import * as projects from '#services/projects/projects.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '',
    {
      config: { permission: 'projects:write', versioned: true, idempotent: true, errors: [ProjectNameTaken] },
      schema: {
        operationId: 'createProject',
        tags: ['projects'],
        summary: 'Create a project',
        description: '`Location` is its URL.',
        params: OrganizationParams,
        body: ref(CreateProject),
        response: { 201: ref(Project) },
      },
    },
    async (request, reply) =>
      reply.sendOnce(async (ctx) => {
        const project = await projects.create(request.inOrganization(ctx), request.body)
        const { organization_id } = request.params
        return { location: `/api/v1/organizations/${organization_id}/projects/${project.id}`, body: project }
      }),
  )

  app.get(
    '',
    {
      config: { permission: 'projects:read', errors: [InvalidCursor] },
      schema: {
        operationId: 'listProjects',
        tags: ['projects'],
        summary: 'List projects',
        description: 'Projects of the organization, newest first, in pages.',
        params: OrganizationParams,
        querystring: ListProjectsQuery,
        response: { 200: ref(ProjectPage) },
      },
    },
    async (request, reply) => reply.sendJson(await projects.list(request.inOrganization(), request.query)),
  )
}

export default routes
