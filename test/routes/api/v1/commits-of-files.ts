import { v7 as uuidv7 } from 'uuid'
import { createFile, createFullFile } from '#test/support/files.ts'
import type { TestApp, TestUser } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { appendTo, createUpload, headOf, TUS } from '#test/support/uploads.ts'
import type { Prepare } from './commits.ts'

/** Where files are, and who has them. */
interface Place {
  readonly as: TestUser
  readonly url: string
}

const own = async ({ signUp }: TestApp): Promise<Place> => ({ as: await signUp(), url: '/api/v1/files' })

const ofOrganization = async ({ app }: TestApp): Promise<Place> => {
  const { owner, url } = await createOrganization(app)
  return { as: owner, url: `${url}/files` }
}

/** Operations of files, in one of the places. */
const OPERATIONS: Readonly<Record<string, (app: TestApp, place: Place) => ReturnType<Prepare>>> = {
  createFile: async ({ request }, { as, url }) => {
    const headers = { 'idempotency-key': uuidv7() }
    return () => request({ method: 'POST', url, as, headers, payload: { name: 'a' } })
  },
  createFileWithContent: async ({ request }, { as, url }) => {
    const headers = { 'idempotency-key': uuidv7() }
    return () => request({ method: 'POST', url: `${url}/content?name=a`, as, headers, payload: 'content' })
  },
  putFileContent: async ({ app, request }, { as, url }) => {
    const file = await createFile(app, as, { url })
    return () => request({ method: 'PUT', url: `${file}/content`, as, payload: 'content' })
  },
  updateFile: async ({ app, request }, { as, url }) => {
    const file = await createFile(app, as, { url })
    return () => request({ method: 'PATCH', url: file, as, payload: { name: 'b' } })
  },
  deleteFile: async ({ app, request }, { as, url }) => {
    const file = await createFullFile(app, as, 'content', { url })
    return () => request({ method: 'DELETE', url: `${file}?permanently=true`, as })
  },
  restoreFile: async ({ app, request }, { as, url }) => {
    const file = await createFullFile(app, as, 'content', { url })
    await request({ method: 'DELETE', url: file, as })
    return () => request({ method: 'POST', url: `${file}/restore`, as })
  },
  createUpload: async ({ request }, { as, url }) => {
    const headers = { ...TUS, 'upload-length': '5' }
    return () => request({ method: 'POST', url: uploadsAt(url), as, headers })
  },
  appendUpload: async ({ app }, { as, url }) => {
    const upload = await createUpload(app, as, 5, { url: uploadsAt(url) })
    // What came before a failure counts, so it is not sent again.
    const offset = async () => Number((await headOf(app, as, upload)).headers['upload-offset'])
    return async () => {
      const at = await offset()
      return appendTo(app, as, upload, { offset: at, bytes: 'hello'.slice(at) })
    }
  },
  deleteUpload: async ({ app, request }, { as, url }) => {
    const upload = await createUpload(app, as, 5, { url: uploadsAt(url) })
    return () => request({ method: 'DELETE', url: upload, as })
  },
}

const uploadsAt = (files: string) => files.replace(/files$/, 'uploads')

const inPlace =
  (
    place: (app: TestApp) => Promise<Place>,
    operation: (app: TestApp, at: Place) => ReturnType<Prepare>,
  ): Prepare =>
  async (app) =>
    operation(app, await place(app))

/** Operations of files, by their operationId. */
export const FILE_OPERATIONS: Readonly<Record<string, Prepare>> = {
  ...Object.fromEntries(Object.entries(OPERATIONS).map(([name, run]) => [name, inPlace(own, run)])),
  ...Object.fromEntries(
    Object.entries(OPERATIONS).map(([name, run]) => [
      name.replace(/(?=File|Upload)/, 'Organization'),
      inPlace(ofOrganization, run),
    ]),
  ),
  createOrganizationFileLink: async ({ app, request }) => {
    const { owner: as, createFile: create, url } = await createOrganization(app)
    const { id } = await create()
    return () => request({ method: 'POST', url: `${url}/files/${id}/links`, as, payload: {} })
  },
  releaseQuarantinedFile: async ({ app, db, request, signUp }) => {
    const [as, { createFile: create }] = [await signUp({ role: 'admin' }), await createOrganization(app)]
    const { id } = await create()
    await db.query("UPDATE files SET scan = 'infected', scan_finding = 'Test.Pattern' WHERE id = $1", [id])
    const url = `/api/v1/operations/files/quarantine/${id}/release`
    return () => request({ method: 'POST', url, as, payload: { reason: 'Ticket 4711' } })
  },
  updateStorageLimit: async ({ request, signUp }) => {
    const as = await signUp({ role: 'admin' })
    const url = `/api/v1/operations/files/limits/${as.user.id}`
    return () => request({ method: 'PATCH', url, as, payload: { max_bytes: 1000, reason: 'Ticket 4711' } })
  },
  setCurrentUserAvatar: async ({ request, signUp }) => {
    const as = await signUp()
    return () => request({ method: 'PUT', url: '/api/v1/users/me/avatar', as, payload: 'GIF89a' })
  },
}
