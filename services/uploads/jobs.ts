import { OrgDatabase, UserDatabase } from '#lib/database/scoped-database.ts'
import { defineJob } from '#lib/jobs/jobs.ts'
import type { FilesContext } from '#services/files/context.ts'
import { verify } from './verifying.ts'

/** An upload whose parts have all come, and whose it is. */
type Completed = { readonly id: string } & ({ readonly org: string } | { readonly user: string })

/** Reads what came to the store without us, and makes it the content of its file. */
export const verifyUploadJob = defineJob({
  name: 'verify_upload',
  // A content of a terabyte takes hours.
  timeout: 6 * 3600,
  canRun: ({ storage }: FilesContext) => storage.store !== undefined,
  handler: (ctx: FilesContext, upload: Completed) => {
    const author = null
    if ('org' in upload) return verify({ ...ctx, db: new OrgDatabase(ctx.db, upload.org), author }, upload.id)
    return verify({ ...ctx, db: new UserDatabase(ctx.db, upload.user), author }, upload.id)
  },
})
