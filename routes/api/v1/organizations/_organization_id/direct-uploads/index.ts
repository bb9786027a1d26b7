import { collection } from '#routes/api/v1/direct-uploads/collection.ts'
import { ORGANIZATION } from '#routes/api/v1/files/space.ts'

export default collection(ORGANIZATION)
