import { runFolders } from './run-folders.ts'

await runFolders(['cluster', 'config', 'contract', 'mutate', 'services'], {
  except: ['services/embedded-postgres/**', 'services/redis/**'],
})
