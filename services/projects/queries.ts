import type { JsonRow } from '#lib/database/json-query.ts'
import type { OrgDatabase } from '#lib/database/scoped-database.ts'
import { Project, type UpdateProject } from '#schemas/projects.ts'

const COLUMNS = 'id, name, description, archived, created_at, updated_at'
const SHOWN = Object.keys(Project.properties)

export async function insertProject(
  db: OrgDatabase,
  { id, name, description }: Pick<Project, 'id' | 'name' | 'description'>,
): Promise<Project | undefined> {
  const rows = await db.query<Project>({
    name: 'insertProject',
    text: `INSERT INTO projects (org_id, id, name, description) VALUES ($1, $2, $3, $4) RETURNING ${COLUMNS}`,
    values: [db.org, id, name, description],
  })
  return rows[0]
}

export async function selectProject(db: OrgDatabase, id: string): Promise<Project | undefined> {
  const rows = await db.query<Project>({
    name: 'selectProject',
    text: `SELECT ${COLUMNS} FROM projects WHERE org_id = $1 AND id = $2`,
    values: [db.org, id],
    pipelined: true,
  })
  return rows[0]
}

export interface ProjectFilter {
  archived?: boolean
  /** Beginning of the name. */
  name?: string
  /** Only projects older than this id. */
  before?: string
  limit: number
}

/** Newest first. */
export function selectProjects(db: OrgDatabase, filter: ProjectFilter): Promise<JsonRow[]> {
  const { archived, name, before, limit } = filter
  const conditions: [column: string, sql: (parameter: string) => string, value: unknown][] = []
  if (archived !== undefined) conditions.push(['archived', (p) => `archived = ${p}`, archived])
  if (name !== undefined) {
    conditions.push(['name', (p) => `case_fold(name) LIKE case_fold(${p})`, `${escapeLike(name)}%`])
  }
  if (before !== undefined) conditions.push(['before', (p) => `id < ${p}`, before])
  const further = conditions.map(([, sql], index) => ` AND ${sql(`$${index + 3}`)}`).join('')
  return db.query<JsonRow>({
    json: SHOWN,
    name: ['selectProjects', ...conditions.map(([column]) => column)].join(':'),
    text: `SELECT ${COLUMNS} FROM projects WHERE org_id = $1${further} ORDER BY id DESC LIMIT $2`,
    values: [db.org, limit, ...conditions.map(([, , value]) => value)],
  })
}

/** Returns undefined when no project has this id and, if given, one of these versions. */
export async function updateProject(
  db: OrgDatabase,
  id: string,
  changes: UpdateProject,
  versions: readonly string[] | undefined,
): Promise<Project | undefined> {
  const rows = await db.query<Project>({
    name: 'updateProject',
    text: `UPDATE projects
           SET name = coalesce($3, name), description = coalesce($4, description), archived = coalesce($5, archived)
           WHERE org_id = $1 AND id = $2 AND ($6::timestamptz[] IS NULL OR updated_at = ANY ($6))
           RETURNING ${COLUMNS}`,
    values: [db.org, id, changes.name, changes.description, changes.archived, versions],
  })
  return rows[0]
}

export async function deleteProject(
  db: OrgDatabase,
  id: string,
  versions: readonly string[] | undefined,
): Promise<boolean> {
  const rows = await db.query({
    name: 'deleteProject',
    text: `DELETE FROM projects
           WHERE org_id = $1 AND id = $2 AND ($3::timestamptz[] IS NULL OR updated_at = ANY ($3)) RETURNING id`,
    values: [db.org, id, versions],
  })
  return rows.length > 0
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
