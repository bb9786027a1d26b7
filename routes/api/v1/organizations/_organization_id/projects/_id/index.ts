import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoContent } from '#schemas/primitives.ts'
import { Project, ProjectParams, UpdateProject } from '#schemas/projects.ts'
import { ref } from '#schemas/registry.ts'
import { ProjectChanged, ProjectNameTaken, ProjectNotFound } from '#services/projects/errors.ts'
import * as projects from '#services/projects/projects.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '',
    {
      config: { permission: 'projects:read', versioned: true, errors: [ProjectNotFound] },
      schema: {
        operationId: 'getProject',
        tags: ['projects'],
        summary: 'Read a project',
        description: '`ETag` names its version.',
        params: ProjectParams,
        response: { 200: ref(Project) },
      },
    },
    async (request, reply) =>
      reply.sendVersioned(await projects.get(request.inOrganization(), request.params.id)),
  )

  app.patch(
    '',
    {
      config: {
        permission: 'projects:write',
        versioned: true,
        errors: [ProjectNotFound, ProjectChanged, ProjectNameTaken],
      },
      schema: {
        operationId: 'updateProject',
        tags: ['projects'],
        summary: 'Change a project',
        description: 'With `If-Match` the change applies only to the version that the `ETag` names.',
        params: ProjectParams,
        body: ref(UpdateProject),
        response: { 200: ref(Project) },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const versions = request.expectedVersions()
      return reply.sendVersioned(await projects.update(request.inOrganization(), params.id, body, versions))
    },
  )

  app.delete(
    '',
    {
      config: {
        permission: 'projects:delete',
        versioned: true,
        errors: [ProjectNotFound, ProjectChanged],
      },
      schema: {
        operationId: 'deleteProject',
        tags: ['projects'],
        summary: 'Delete a project',
        description: 'With `If-Match` only the version that the `ETag` names.',
        params: ProjectParams,
        response: { 204: NoContent('The project is deleted.') },
      },
    },
    async (request, reply) => {
      await projects.remove(request.inOrganization(), request.params.id, request.expectedVersions())
      return reply.code(204).send(undefined)
    },
  )
}

export default routes
