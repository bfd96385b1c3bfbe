import { initGraphQLTada } from 'gql.tada'
import type { introspection } from './generated/introspection'

/**
 * Typed documents: what a query answers is inferred from the gateway's committed schema.
 * Documents live in `<domain>/documents.ts`, where a test validates them against that schema.
 */
export const graphql = initGraphQLTada<{
  introspection: introspection
  scalars: { Date: string; DateTime: string; Decimal: string; ID: string }
}>()

export { readFragment } from 'gql.tada'
export type { FragmentOf, ResultOf, VariablesOf } from 'gql.tada'
