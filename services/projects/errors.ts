import { defineError } from '#lib/errors.ts'

export const ProjectNotFound = defineError({
  code: 'project_not_found',
  status: 404,
  title: 'Project not found',
  detail: 'The organization has no such project.',
})

export const ProjectChanged = defineError({
  code: 'project_changed',
  status: 412,
  title: 'Project changed',
  detail: 'The project is no longer as `If-Match` says: read it again, then repeat the change.',
})

export const ProjectNameTaken = defineError({
  code: 'project_name_taken',
  status: 409,
  title: 'Project name taken',
  detail: 'Another project of the organization has this name.',
})
