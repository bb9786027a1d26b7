import { Type } from '@sinclair/typebox'
import { Secret, Text } from './kinds.ts'

/** Keys of every section that names a bucket of an object store. */
export const BUCKET = {
  endpoint: Type.Optional(
    Text({
      format: 'public-url',
      description: 'Where a store that is not AWS listens, such as `https://s3.example.com`.',
    }),
  ),
  region: Text({ format: 's3-region', description: "The bucket's region; stores that have none take any." }),
  access_key_id: Type.Optional(Secret({ description: 'Name of the key with which requests are signed.' })),
  secret_access_key: Type.Optional(Secret({ description: 'The key with which requests are signed.' })),
}
