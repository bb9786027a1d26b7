import { OWN } from '../../space.ts'
import { linksOf } from './links.ts'

export default linksOf(OWN)
