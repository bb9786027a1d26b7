import { runFolders } from './run-folders.ts'

await runFolders(['routes/api/v1/auth'])
