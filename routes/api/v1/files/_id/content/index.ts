import { OWN } from '#routes/api/v1/files/space.ts'
import { contentRoutes } from './content.ts'

export default contentRoutes(OWN)
