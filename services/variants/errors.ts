import { defineError } from '#lib/errors.ts'

export const VariantUnavailable = defineError({
  code: 'variant_unavailable',
  status: 404,
  title: 'Variant unavailable',
  detail:
    'There is no smaller copy: the content is not an image, is broken or too large, or the service makes none.',
})
