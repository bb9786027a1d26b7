import { runPlace } from '#test/support/place.ts'

runPlace()
