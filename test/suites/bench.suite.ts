import { runFolders } from './run-folders.ts'

await runFolders(['bench'], { except: ['bench/smoke.test.ts'] })
