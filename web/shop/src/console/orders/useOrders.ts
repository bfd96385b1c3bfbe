import { computed, shallowRef, toValue, watch } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import type { ResultOf, VariablesOf } from '@/graphql/tada'
import { usePolledQuery } from '../parts/usePolledQuery'
import { OrderQuery, OrdersQuery, StuckQuery } from './documents'
import { isAtRest, isDecided } from './outcomes'

export type ConsoleOrder = NonNullable<ResultOf<typeof OrderQuery>['order']>
export type ConsoleSaga = NonNullable<ResultOf<typeof OrderQuery>['saga']>
export type SagaEvent = NonNullable<ConsoleSaga['events']>[number]

const LIST_EVERY_MS = 10_000
const MOVING_EVERY_MS = 2_000
const RESTING_EVERY_MS = 20_000

/** A page of orders, newest first. */
export function useOrders(variables: MaybeRefOrGetter<VariablesOf<typeof OrdersQuery>>) {
  const { data, error, fetching, refresh } = usePolledQuery(
    { query: OrdersQuery, variables: computed(() => toValue(variables)) },
    LIST_EVERY_MS,
  )
  return {
    orders: computed(() => data.value?.orders.edges.map((edge) => edge.node) ?? []),
    pageInfo: computed(() => data.value?.orders.pageInfo),
    error,
    fetching,
    retry: refresh,
  }
}

/** A page of the sagas that wait for an operator, oldest first. */
export function useStuckSagas(variables: MaybeRefOrGetter<VariablesOf<typeof StuckQuery>>) {
  const { data, error, fetching, refresh } = usePolledQuery(
    { query: StuckQuery, variables: computed(() => toValue(variables)) },
    LIST_EVERY_MS,
  )
  return {
    sagas: computed(() => data.value?.sagas.items ?? []),
    nextCursor: computed(() => data.value?.sagas.nextCursor ?? null),
    error,
    fetching,
    retry: refresh,
  }
}

/**
 * One order with its saga; followed closely while it moves, money is on its way, or somebody has still to hear of it.
 */
export function useOrder(id: MaybeRefOrGetter<string>) {
  const everyMs = shallowRef(MOVING_EVERY_MS)
  const { data, error, fetching, refresh } = usePolledQuery(
    { query: OrderQuery, variables: computed(() => ({ id: toValue(id) })) },
    everyMs,
  )
  const order = computed(() => data.value?.order)
  const isSettled = computed(() => {
    const deliveries = data.value?.saga?.events?.flatMap((event) => event.deliveries) ?? []
    const payments = order.value?.payments ?? []
    return (
      isAtRest(order.value?.status ?? '') &&
      [...payments, ...payments.flatMap((payment) => payment.refunds)].every(isDecided) &&
      deliveries.every((delivery) => delivery.handledAt !== null)
    )
  })
  watch(isSettled, (settled) => (everyMs.value = settled ? RESTING_EVERY_MS : MOVING_EVERY_MS), { immediate: true })
  return {
    order,
    saga: computed(() => data.value?.saga),
    events: computed(() => data.value?.saga?.events ?? []),
    acts: computed(() => data.value?.saga?.acts ?? []),
    /** What is shown of its state: a stuck saga hides behind an order that merely looks slow. */
    status: computed(() => (data.value?.saga?.status === 'STUCK' ? 'STUCK' : (order.value?.status ?? ''))),
    error,
    fetching,
    retry: refresh,
  }
}
