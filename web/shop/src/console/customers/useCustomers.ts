import { useQuery } from '@urql/vue'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import type { ResultOf, VariablesOf } from '@/graphql/tada'
import { CustomerQuery, CustomersQuery } from './documents'
import type { CustomerFields } from './documents'

export type Customer = ResultOf<typeof CustomerFields>

export function useCustomers(variables: MaybeRefOrGetter<VariablesOf<typeof CustomersQuery>>) {
  const { data, error, fetching, executeQuery } = useQuery({
    query: CustomersQuery,
    variables: computed(() => toValue(variables)),
    requestPolicy: 'cache-and-network',
  })
  return {
    customers: computed(() => data.value?.users.edges.map((edge) => edge.node) ?? []),
    pageInfo: computed(() => data.value?.users.pageInfo),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}

export function useCustomer(variables: MaybeRefOrGetter<VariablesOf<typeof CustomerQuery>>) {
  const { data, error, fetching, executeQuery } = useQuery({
    query: CustomerQuery,
    variables: computed(() => toValue(variables)),
    requestPolicy: 'cache-and-network',
  })
  return {
    customer: computed(() => data.value?.user ?? null),
    orders: computed(() => data.value?.user?.orders.edges.map((edge) => edge.node) ?? []),
    pageInfo: computed(() => data.value?.user?.orders.pageInfo),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}
