import { whole } from '#routes/api/v1/files/content/whole.ts'
import { ORGANIZATION } from '#routes/api/v1/files/space.ts'

export default whole(ORGANIZATION)
