import { useQuery } from '@urql/vue'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import type { ResultOf, VariablesOf } from '@/graphql/tada'
import { CategoriesQuery, HomeQuery, ProductsQuery } from './documents'
import type { ProductCardFields } from './documents'

export type ProductSummary = ResultOf<typeof ProductCardFields>
export type Category = ResultOf<typeof CategoriesQuery>['categories'][number]
export type Department = ResultOf<typeof HomeQuery>['categories'][number]

const nodes = (connection: { edges: { node: ProductSummary }[] } | undefined) =>
  connection?.edges.map((edge) => edge.node) ?? []

/** What the two shelves of the home page hold, as searches: they fill themselves from any catalogue of drinks. */
const SHELVES = { evening: 'Bordeaux or Riesling', morning: 'espresso or breakfast' }

export function useCategories() {
  const { data, error, fetching } = useQuery({ query: CategoriesQuery })
  return { categories: computed(() => data.value?.categories ?? []), error, fetching }
}

export function useHome() {
  const { data, error, fetching, executeQuery } = useQuery({ query: HomeQuery, variables: SHELVES })
  return {
    departments: computed(() => data.value?.categories ?? []),
    evening: computed(() => nodes(data.value?.evening)),
    morning: computed(() => nodes(data.value?.morning)),
    fresh: computed(() => nodes(data.value?.fresh)),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}

/** A page of the product list. */
export function useProducts(variables: MaybeRefOrGetter<VariablesOf<typeof ProductsQuery>>) {
  const { data, error, fetching, executeQuery } = useQuery({
    query: ProductsQuery,
    variables: computed(() => toValue(variables)),
    requestPolicy: 'cache-and-network',
  })
  return {
    products: computed(() => nodes(data.value?.products)),
    pageInfo: computed(() => data.value?.products.pageInfo),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}
