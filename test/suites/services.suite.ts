import { runFolders } from './run-folders.ts'

await runFolders(['cluster', 'config', 'mutate', 'services'], {
  except: ['services/embedded-postgres/**', 'services/redis/**'],
})
