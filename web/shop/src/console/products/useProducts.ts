import type { AnyVariables, TypedDocumentNode } from '@urql/core'
import { useClientHandle, useQuery } from '@urql/vue'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import type { ResultOf, VariablesOf } from '@/graphql/tada'
import { CategoryTableQuery, ExportQuery, ProductFormQuery, ProductTableQuery, StockHistoryQuery } from './documents'
import type { ProductRowFields } from './documents'
import type { Product } from './productForm'

export type ProductRow = ResultOf<typeof ProductRowFields>
export type CategoryRow = ResultOf<typeof CategoryTableQuery>['categories'][number]

export function useProductTable(variables: MaybeRefOrGetter<VariablesOf<typeof ProductTableQuery>>) {
  const { data, error, fetching, executeQuery } = useQuery({
    query: ProductTableQuery,
    variables: computed(() => toValue(variables)),
    requestPolicy: 'cache-and-network',
  })
  return {
    products: computed(() => data.value?.products.edges.map((edge) => edge.node) ?? []),
    total: computed(() => data.value?.products.totalCount ?? null),
    isTotalExact: computed(() => data.value?.products.totalCountIsExact ?? true),
    pageInfo: computed(() => data.value?.products.pageInfo),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}

/** A product as it is now: a form that began with an old version would only run into a conflict. */
export function useProduct(id: MaybeRefOrGetter<string>) {
  const { data, stale, error, fetching, executeQuery } = useQuery({
    query: ProductFormQuery,
    variables: computed(() => ({ id: toValue(id) })),
    requestPolicy: 'network-only',
  })
  return {
    product: computed(() => data.value?.product ?? null),
    /** What was read before; the answer to this question is still under way. */
    isOld: stale,
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}

export function useStockHistory(id: MaybeRefOrGetter<string>, count: MaybeRefOrGetter<number>) {
  const { data, error, fetching, executeQuery } = useQuery({
    query: StockHistoryQuery,
    variables: computed(() => ({ id: toValue(id), first: toValue(count) })),
    requestPolicy: 'cache-and-network',
  })
  return {
    stockQuantity: computed(() => data.value?.product?.stockQuantity ?? null),
    changes: computed(() => data.value?.product?.stockHistory?.edges.map((edge) => edge.node) ?? []),
    hasMore: computed(() => data.value?.product?.stockHistory?.pageInfo.hasNextPage ?? false),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}

export function useCategoryTable() {
  const { data, error, fetching, executeQuery } = useQuery({
    query: CategoryTableQuery,
    variables: {},
    requestPolicy: 'cache-and-network',
  })
  return {
    categories: computed(() => data.value?.categories ?? []),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}

/** Reads all there is, as the server has it now: what is written into a file, or compared with one. */
export function useWholeCatalogue() {
  const client = useClientHandle().client

  async function read<Data, Variables extends AnyVariables>(query: TypedDocumentNode<Data, Variables>, variables: Variables) {
    const { data, error } = await client.query(query, variables, { requestPolicy: 'network-only' }).toPromise()
    if (!data) throw error ?? new Error('the catalogue could not be read')
    return data
  }

  /** Page by page. */
  async function readProducts(filter: VariablesOf<typeof ExportQuery>['filter']): Promise<Product[]> {
    const found: Product[] = []
    let after: string | null = null
    do {
      const { products }: ResultOf<typeof ExportQuery> = await read(ExportQuery, { after, filter })
      found.push(...products.edges.map((edge) => edge.node))
      after = products.pageInfo.hasNextPage ? products.pageInfo.endCursor : null
    } while (after)
    return found
  }

  const readCategories = async () => (await read(CategoryTableQuery, {})).categories

  return { readProducts, readCategories }
}
