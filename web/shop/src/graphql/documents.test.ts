import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, Kind, validate } from 'graphql'
import type { DocumentNode } from 'graphql'
import { expect, it } from 'vitest'
import { generate } from '../../scripts/generate.js'

const root = join(import.meta.dirname, '../../../..')
const schema = buildSchema(readFileSync(join(root, 'gateway/schema.graphql'), 'utf8'))

const modules = import.meta.glob<Record<string, DocumentNode>>('../**/documents.ts', { eager: true })
const operations = Object.entries(modules)
  .flatMap(([file, documents]) => Object.entries(documents).map(([name, document]) => ({ file, name, document })))
  .filter(({ document }) => document.definitions.some((definition) => definition.kind === Kind.OPERATION_DEFINITION))

it.each(operations)('$name in $file is what the gateway understands', ({ document }) => {
  expect(validate(schema, document).map((error) => error.message)).toEqual([])
})

it('is generated from the schema as it is now: else run `npm run generate`', () => {
  for (const [path, content] of generate()) expect(readFileSync(path, 'utf8') === content, path).toBe(true)
})
