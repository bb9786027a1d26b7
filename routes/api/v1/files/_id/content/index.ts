import { OWN } from '../../space.ts'
import { contentRoutes } from './content.ts'

export default contentRoutes(OWN)
