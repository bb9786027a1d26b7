import { ORGANIZATION } from '#routes/api/v1/files/space.ts'
import { usage } from '#routes/api/v1/files/usage/usage.ts'

export default usage(ORGANIZATION)
