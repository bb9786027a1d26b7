import packageJson from '#package.json' with { type: 'json' }
import { type Check, problem } from '../check.ts'

const check: Check = {
  name: 'Node',
  reads: [],
  async run() {
    const needed = Number.parseInt(packageJson.devDependencies.node, 10)
    const version = process.versions.node
    if (Number.parseInt(version, 10) >= needed) return []
    return [
      problem(
        `This is Node ${version}.`,
        `The service is written for Node ${needed} and newer; on an older one it may not start.`,
        `Install Node ${needed}, or start it by npm, which takes the one of node_modules.`,
      ),
    ]
  },
}
export default check
