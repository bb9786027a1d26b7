import { OWN } from '../space.ts'
import { item } from './item.ts'

export default item(OWN)
