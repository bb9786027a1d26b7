import { OWN } from '#routes/api/v1/files/space.ts'
import { linksOf } from './links.ts'

export default linksOf(OWN)
