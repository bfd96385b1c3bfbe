import { useQuery } from '@urql/vue'
import { refDebounced } from '@vueuse/core'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import type { ResultOf, VariablesOf } from '@/graphql/tada'
import { CategoriesQuery, HomeQuery, ProductQuery, ProductsQuery, SuggestionsQuery } from './documents'
import type { ProductCardFields } from './documents'
import { SHELVES } from './shelves'

export type ProductSummary = ResultOf<typeof ProductCardFields>
export type Category = ResultOf<typeof CategoriesQuery>['categories'][number]
export type Product = NonNullable<ResultOf<typeof ProductQuery>['product']>
export type Facets = ResultOf<typeof ProductsQuery>['products']['facets']
export type Suggestion = ResultOf<typeof SuggestionsQuery>['suggestions'][number]
export type Department = ResultOf<typeof HomeQuery>['categories'][number]

const nodes = (connection: { edges: { node: ProductSummary }[] } | undefined) =>
  connection?.edges.map((edge) => edge.node) ?? []

export function useCategories() {
  const { data, fetching } = useQuery({ query: CategoriesQuery })
  return { categories: computed(() => data.value?.categories ?? []), fetching }
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
    facets: computed(() => data.value?.products.facets),
    total: computed(() => data.value?.products.totalCount),
    isTotalExact: computed(() => data.value?.products.totalCountIsExact ?? true),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}

/** A product by its id; `isGone` if the catalogue has none with it. What a list knew of it shows at once. */
export function useProduct(id: MaybeRefOrGetter<string>) {
  const { data, error, fetching, stale, executeQuery } = useQuery({
    query: ProductQuery,
    variables: computed(() => ({ id: toValue(id) })),
    requestPolicy: 'cache-and-network',
  })
  const waiting = computed(() => fetching.value || stale.value)
  return {
    product: computed(() => data.value?.product ?? undefined),
    isGone: computed(() => !waiting.value && data.value?.product === null),
    error,
    waiting,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}

/** A text that is too short suggests nothing. */
const SHORTEST_SEARCH = 2
/** Nobody wants an answer for each letter of a fast typist. */
const TYPING_PAUSE_MS = 150

/** What a search that is being typed might mean. The last answer stays until the next one is there. */
export function useSuggestions(text: MaybeRefOrGetter<string>) {
  const q = refDebounced(
    computed(() => toValue(text).trim()),
    TYPING_PAUSE_MS,
  )
  const isLongEnough = computed(() => q.value.length >= SHORTEST_SEARCH)
  const { data, fetching } = useQuery({
    query: SuggestionsQuery,
    variables: computed(() => ({ q: q.value })),
    pause: computed(() => !isLongEnough.value),
  })
  return { suggestions: computed(() => (isLongEnough.value ? (data.value?.suggestions ?? []) : [])), fetching }
}
