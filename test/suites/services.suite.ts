import { runFolders } from './run-folders.ts'

await runFolders(['config', 'lib', 'mutate', 'process', 'services'], {
  except: ['lib/embedded-postgres/**', 'lib/redis/**'],
})
