import { linksOf } from '#routes/api/v1/files/_id/links/links.ts'
import { ORGANIZATION } from '#routes/api/v1/files/space.ts'

export default linksOf(ORGANIZATION)
