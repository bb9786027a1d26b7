import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import { canMakeCopies } from '#lib/images/make-copy.ts'
import { VARIANT_OUTCOMES, type VariantsContext } from '#services/variants/context.ts'

declare module '#plugins/infrastructure/context.ts' {
  interface AppContext extends Pick<VariantsContext, 'variants'> {}
}

/** Smaller copies of images. */
export default fp(
  async (app) => {
    const { enabled, max_size, max_pixels, max_memory } = app.config.files.thumbnails
    const isEnabled = enabled && canMakeCopies()
    if (enabled && !isEnabled) app.log.info('there are no smaller copies of images: sharp is not installed')
    const counter = new Counter({
      name: 'file_variants_total',
      help: 'Smaller copies of images that were to be made, by what became of them; `failed` is tried again.',
      labelNames: ['outcome'],
      registers: [app.metrics],
    })
    for (const outcome of VARIANT_OUTCOMES) counter.inc({ outcome }, 0)
    app.addContext({
      variants: {
        isEnabled,
        maxSize: max_size,
        maxPixels: max_pixels,
        maxMemory: max_memory,
        count: (outcome) => counter.inc({ outcome }),
      },
    })
  },
  { name: 'variants', dependencies: ['context', 'metrics'] },
)
