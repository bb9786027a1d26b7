import { runFolders } from './run-folders.ts'

await runFolders(['routes'], { except: ['routes/api/v1/auth/**'] })
