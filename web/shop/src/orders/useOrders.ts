import { useQuery } from '@urql/vue'
import { computed } from 'vue'
import { useRoute } from 'vue-router'
import { useSession } from '@/account/useSession'
import type { ResultOf } from '@/graphql/tada'
import { OrdersQuery } from './documents'
import { readListState } from './listState'

export type OrderSummary = ResultOf<typeof OrdersQuery>['orders']['edges'][number]['node']

const PER_PAGE = 12

/** The visitor's orders, a page of them, as the URL says. */
export function useOrders() {
  const route = useRoute()
  const { user, isAdmin } = useSession()
  const state = computed(() => readListState(route.query))
  const { data, error, fetching, executeQuery } = useQuery({
    query: OrdersQuery,
    variables: computed(() => ({
      first: PER_PAGE,
      after: state.value.after || null,
      status: state.value.status,
      q: isAdmin.value ? (user.value?.email ?? null) : null,
    })),
    requestPolicy: 'cache-and-network',
  })
  return {
    state,
    orders: computed(() => data.value?.orders.edges.map((edge) => edge.node) ?? []),
    pageInfo: computed(() => data.value?.orders.pageInfo),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}
