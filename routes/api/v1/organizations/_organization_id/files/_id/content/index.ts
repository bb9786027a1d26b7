import { contentRoutes } from '#routes/api/v1/files/_id/content/content.ts'
import { ORGANIZATION } from '#routes/api/v1/files/space.ts'

export default contentRoutes(ORGANIZATION)
