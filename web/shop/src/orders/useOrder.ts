import { useQuery, useSubscription } from '@urql/vue'
import { refDebounced, useIntervalFn, useWindowFocus } from '@vueuse/core'
import { computed, inject, toValue, watch } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import { useCart } from '@/cart/useCart'
import { liveKey } from '@/graphql/live'
import { useAction } from '@/graphql/useAction'
import type { ResultOf } from '@/graphql/tada'
import { CancelOrderMutation, OrderQuery, OrderStatusSubscription } from './documents'
import { isMoving } from './progress'

export type Order = NonNullable<ResultOf<typeof OrderQuery>['order']>

/** How often an order is read while there is no live connection, or while a refund is under way. */
const POLL_MS = 2_500

/** A connection that is back sooner than this was not missed by anybody. */
const PATIENCE_MS = 1_000

/**
 * An order that lives: followed over the WebSocket while it moves, which begins with the present state after every lost
 * connection; read again and again while there is none.
 */
export function useOrder(id: MaybeRefOrGetter<string>) {
  const { refresh: refreshCart } = useCart()
  const live = inject(liveKey)
  const variables = computed(() => ({ id: toValue(id) }))
  const { data, error, fetching, executeQuery } = useQuery({
    query: OrderQuery,
    variables,
    requestPolicy: 'cache-and-network',
  })
  const order = computed<Order | null>(() => data.value?.order ?? null)
  const isUnderWay = computed(() => order.value !== null && isMoving(order.value.status))
  const read = () => executeQuery({ requestPolicy: 'network-only' })

  useSubscription({ query: OrderStatusSubscription, variables, pause: computed(() => !isUnderWay.value) })

  const isOutOfTouch = computed(() => isUnderWay.value && live?.state.value !== 'connected')
  const isLost = computed(() => isUnderWay.value && live?.state.value === 'lost')
  const isLostForLong = refDebounced(isLost, PATIENCE_MS)
  const isRefunding = computed(
    () => order.value?.payments.some(({ refunds }) => refunds.some(({ status }) => status === 'PENDING')) ?? false,
  )
  const polling = useIntervalFn(read, POLL_MS, { immediate: false })
  watch(
    () => isOutOfTouch.value || isRefunding.value,
    (isNeeded) => (isNeeded ? polling.resume() : polling.pause()),
    { immediate: true },
  )

  // At rest the cart is bought, or is back; and what the services noted last is not in the live news.
  watch(
    () => order.value?.status,
    (status, before) => {
      if (!status || isMoving(status)) return
      refreshCart()
      if (before) read()
    },
    { immediate: true },
  )

  // What the shop does to an order at rest, shipping it, is not told live.
  const hasFocus = useWindowFocus()
  watch(hasFocus, (focused) => focused && order.value && read())

  const cancellation = useAction(CancelOrderMutation)

  return {
    order,
    error,
    fetching,
    read,
    /** No news come in at this moment, though there may be some. */
    isCutOff: computed(() => isLost.value && isLostForLong.value),
    cancellation,
  }
}
