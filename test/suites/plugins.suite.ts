import { runFolders } from './run-folders.ts'

await runFolders(['plugins'], { except: ['plugins/rate-limit/**', 'plugins/tokens/**'] })
