import { collection } from '#routes/api/v1/files/collection.ts'
import { ORGANIZATION } from '#routes/api/v1/files/space.ts'

export default collection(ORGANIZATION)
