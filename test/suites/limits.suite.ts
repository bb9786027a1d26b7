import { runFolders } from './run-folders.ts'

await runFolders(['plugins/rate-limit', 'plugins/tokens'])
