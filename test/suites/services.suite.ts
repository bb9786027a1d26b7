import { runFolders } from './run-folders.ts'

await runFolders(['config', 'contract', 'services'], {
  except: ['services/embedded-postgres/**', 'services/redis/**'],
})
