import { v7 as uuidv7 } from 'uuid'
import type { Context } from '#lib/context.ts'
import { brokenConstraint } from '#lib/database/errors.ts'
import type { JsonText } from '#lib/json-text.ts'
import type { Cursors } from '#lib/pagination/cursors.ts'
import type {
  CreateProject,
  ListProjectsQuery,
  Project,
  ProjectPage,
  UpdateProject,
} from '#schemas/projects.ts'
import { namesOf } from '#services/events/define-event.ts'
import { emitting } from '#services/events/emit.ts'
import type { OrgContext } from '#services/members/membership.ts'
import type { ExpectedVersions } from '#services/users/users.ts'
import { ProjectChanged, ProjectNameTaken, ProjectNotFound } from './errors.ts'
import { projectCreated, projectDeleted, projectUpdated } from './events.ts'
import * as queries from './queries.ts'

// The sample of what an organization has: a product replaces it by its own. What a member may do with projects is the
// route's `permission`; whose projects these are is the context's organization.

/** Position in a list is that of one organization, so a cursor of another is refused. */
const listOf = (ctx: OrgContext) => `projects:${ctx.db.org}`

/**
 * Creates a project.
 *
 * @throws ProjectNameTaken
 */
export async function create(ctx: OrgContext, { name, description = '' }: CreateProject): Promise<Project> {
  const id = uuidv7()
  const db = emitting(ctx, projectCreated, { subject: id, data: {} })
  return present(await named(queries.insertProject(db, { id, name, description })))
}

/**
 * Returns a page of projects, newest first.
 *
 * @throws InvalidCursor
 */
export async function list(
  ctx: OrgContext<Context & { cursors: Cursors }>,
  { limit, cursor, ...filter }: ListProjectsQuery,
): Promise<JsonText<ProjectPage>> {
  const before = cursor === undefined ? {} : { before: ctx.cursors.decode(listOf(ctx), cursor) }
  const projects = await queries.selectProjects(ctx.db, { ...filter, ...before, limit: limit + 1 })
  return ctx.cursors.jsonPage(listOf(ctx), projects, limit)
}

/**
 * Returns a project.
 *
 * @throws ProjectNotFound
 */
export async function get(ctx: OrgContext, id: string): Promise<Project> {
  return present(await queries.selectProject(ctx.db, id))
}

/**
 * Changes a project.
 *
 * @throws ProjectNotFound, ProjectChanged, ProjectNameTaken
 */
export async function update(
  ctx: OrgContext,
  id: string,
  changes: UpdateProject,
  versions: ExpectedVersions,
): Promise<Project> {
  const db = emitting(ctx, projectUpdated, { subject: id, data: { changed: namesOf(changes) } })
  const project = await named(queries.updateProject(db, id, changes, versions))
  return project ?? missing(ctx, id)
}

/**
 * Deletes a project.
 *
 * @throws ProjectNotFound, ProjectChanged
 */
export async function remove(ctx: OrgContext, id: string, versions: ExpectedVersions): Promise<void> {
  const db = emitting(ctx, projectDeleted, { subject: id, data: {} })
  if (!(await queries.deleteProject(db, id, versions))) await missing(ctx, id)
}

/** Says why a change found no row: the project is gone, or is another version than expected. */
async function missing(ctx: OrgContext, id: string): Promise<never> {
  await get(ctx, id)
  throw new ProjectChanged()
}

function present(project: Project | undefined): Project {
  if (project === undefined) throw new ProjectNotFound()
  return project
}

async function named<T>(write: Promise<T>): Promise<T> {
  try {
    return await write
  } catch (error) {
    if (brokenConstraint(error) === 'projects_name_key') throw new ProjectNameTaken({ cause: error })
    throw error
  }
}
