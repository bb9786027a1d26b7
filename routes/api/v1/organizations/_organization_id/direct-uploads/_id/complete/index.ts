import { completionOf } from '#routes/api/v1/direct-uploads/_id/complete/complete.ts'
import { ORGANIZATION } from '#routes/api/v1/files/space.ts'

export default completionOf(ORGANIZATION)
