import type { ResultOf } from '@/graphql/tada'
import type { OrderProgressFields } from './documents'

export type OrderProgress = ResultOf<typeof OrderProgressFields>
export type OrderStatus = OrderProgress['status']
export type TimelineEntry = OrderProgress['timeline'][number]

/** The way of every order: four services, each of which has its say. */
export const STAGES = [
  { name: 'cart', service: 'cart', begins: null, done: 'OrderPlaced', failed: null, undoing: 'ReopenRequested', undone: 'CartReopened' },
  {
    name: 'stock',
    service: 'products',
    begins: 'OrderPlaced',
    done: 'StockReserved',
    failed: 'StockReservationFailed',
    undoing: 'ReleaseRequested',
    undone: 'StockReleased',
  },
  {
    name: 'payment',
    service: 'payments',
    begins: 'PaymentRequested',
    done: 'PaymentProcessed',
    failed: 'PaymentFailed',
    undoing: 'RefundRequested',
    undone: 'PaymentRefunded',
  },
  { name: 'confirmation', service: 'orders', begins: 'PaymentProcessed', done: 'OrderConfirmed', failed: null, undoing: null, undone: null },
] as const

export type StageName = (typeof STAGES)[number]['name']

/**
 * How a stage stands. `current`: its service is being waited for; `undoing`, `undone`: the order failed or was
 * cancelled after it; `never`: the order ended before it.
 */
export type StageState = 'waiting' | 'current' | 'done' | 'failed' | 'undoing' | 'undone' | 'never'

export interface Stage {
  name: StageName
  service: string
  state: StageState
  /** When it came to that state. */
  at: string | null
}

const FORWARD: readonly OrderStatus[] = ['PENDING', 'CART_VALIDATED', 'INVENTORY_RESERVED', 'PAYMENT_PROCESSED']
const RESTING: readonly OrderStatus[] = ['CONFIRMED', 'SHIPPED', 'DELIVERED', 'COMPENSATED', 'CANCELLED']

/** Is the order being decided or undone at this moment? */
export const isMoving = (status: OrderStatus) => !RESTING.includes(status)

/** Is the order on its way to be confirmed? */
export const isForward = (status: OrderStatus) => FORWARD.includes(status)

/** Each stage's state, told by what happened to the order so far. */
export function stagesOf({ status, timeline }: Pick<OrderProgress, 'status' | 'timeline'>): Stage[] {
  const when = (event: string | null) => timeline.find((entry) => entry.event === event)?.at ?? null
  let isReached = true

  return STAGES.map(({ name, service, done, failed, undoing, undone }) => {
    const [doneAt, failedAt] = [when(done), when(failed)]
    const wasReached = isReached
    isReached &&= doneAt !== null

    const stage = (state: StageState, at: string | null): Stage => ({ name, service, state, at })
    if (failedAt) return stage('failed', failedAt)
    if (doneAt && when(undone)) return stage('undone', when(undone))
    if (doneAt && when(undoing)) return stage('undoing', when(undoing))
    if (doneAt) return stage('done', doneAt)
    if (!isForward(status)) return stage('never', null)
    return stage(wasReached ? 'current' : 'waiting', null)
  })
}

/** What the page says about the order: the key of its words below `orders.outcome`. */
export type Outcome =
  | 'moving'
  | 'confirmed'
  | 'shipped'
  | 'delivered'
  | 'undoing'
  | 'declined'
  | 'outOfStock'
  | 'priceChanged'
  | 'unavailable'
  | 'failed'
  | 'cancelling'
  | 'cancelled'

const FAILURES: Record<string, Outcome> = {
  PAYMENT_DECLINED: 'declined',
  OUT_OF_STOCK: 'outOfStock',
  PRICE_CHANGED: 'priceChanged',
  PRODUCT_UNAVAILABLE: 'unavailable',
}

export function outcomeOf({ status, failureCode }: Pick<OrderProgress, 'status' | 'failureCode'>): Outcome {
  switch (status) {
    case 'PENDING':
    case 'CART_VALIDATED':
    case 'INVENTORY_RESERVED':
    case 'PAYMENT_PROCESSED':
      return 'moving'
    case 'CONFIRMED':
      return 'confirmed'
    case 'SHIPPED':
      return 'shipped'
    case 'DELIVERED':
      return 'delivered'
    case 'FAILED':
      return 'undoing'
    case 'COMPENSATED':
      return FAILURES[failureCode ?? ''] ?? 'failed'
    case 'CANCELLING':
      return 'cancelling'
    case 'CANCELLED':
      return 'cancelled'
  }
}
