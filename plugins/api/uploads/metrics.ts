import { Counter, type Registry } from 'prom-client'
import { OUTCOMES, type UploadsContext } from '#services/uploads/context.ts'

/** Makes the counter of what became of requests that brought bytes of uploads. */
export function countUploads(registry: Registry): UploadsContext['uploads']['count'] {
  const counter = new Counter({
    name: 'uploads_parts_total',
    help: 'Requests that brought bytes of uploads, by what became of them; `finished` brought the last ones.',
    labelNames: ['outcome'],
    registers: [registry],
  })
  for (const outcome of OUTCOMES) counter.inc({ outcome }, 0)
  return (outcome) => counter.inc({ outcome })
}
