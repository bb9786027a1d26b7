import { type Static, Type } from '@sinclair/typebox'
import { organizationParameter } from './organizations.ts'
import { Page, pageParameters } from './pagination.ts'
import { Timestamp, Uuid } from './primitives.ts'
import { ref } from './registry.ts'

const Name = Type.String({
  'x-normalize': 'line',
  'x-format': 'one-line',
  minLength: 1,
  maxLength: 100,
  description: 'Name of the project; unique in its organization without regard to case.',
  examples: ['Difference Engine'],
})
const Description = Type.String({
  maxLength: 2000,
  description: 'Text about the project.',
  examples: ['Computes tables of polynomials.'],
})
const Archived = Type.Boolean({ description: 'Whether the project is put aside.', examples: [false] })

/** A project of an organization. */
export const Project = Type.Object(
  {
    id: Uuid('Identifier of the project (UUIDv7).'),
    name: Type.String({ description: 'Name of the project.', examples: ['Difference Engine'] }),
    description: Type.String({
      description: 'Text about the project.',
      examples: ['Computes tables of polynomials.'],
    }),
    archived: Archived,
    created_at: Timestamp('When the project was created.'),
    updated_at: Timestamp('When the project was last changed; it grows with every change.'),
  },
  { $id: 'Project', additionalProperties: false, description: 'A project of an organization.' },
)
export type Project = Static<typeof Project>

/** Body of createProject. */
export const CreateProject = Type.Object(
  { name: Name, description: Type.Optional(Description) },
  { $id: 'CreateProject', additionalProperties: false, description: 'A new project.' },
)
export type CreateProject = Static<typeof CreateProject>

/** Body of updateProject. */
export const UpdateProject = Type.Object(
  { name: Type.Optional(Name), description: Type.Optional(Description), archived: Type.Optional(Archived) },
  {
    $id: 'UpdateProject',
    additionalProperties: false,
    minProperties: 1,
    description: 'Changes to a project; at least one.',
    examples: [{ archived: true }],
  },
)
export type UpdateProject = Static<typeof UpdateProject>

/** Path parameters of one project. */
export const ProjectParams = Type.Object(
  { ...organizationParameter, id: Uuid('Identifier of the project.', { 'x-normalize': 'lowercase' }) },
  { additionalProperties: false },
)

/** Query of listProjects. */
export const ListProjectsQuery = Type.Object(
  {
    ...pageParameters,
    archived: Type.Optional(Archived),
    name: Type.Optional(
      Type.String({
        'x-normalize': 'NFC',
        minLength: 1,
        maxLength: 100,
        description: 'Only projects whose name begins with this, without regard to case.',
        examples: ['diff'],
      }),
    ),
  },
  { additionalProperties: false },
)
export type ListProjectsQuery = Static<typeof ListProjectsQuery>

export const ProjectPage = Page(ref(Project), 'ProjectPage')
export type ProjectPage = Static<typeof ProjectPage>
