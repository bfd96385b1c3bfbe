import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { OrderStatus } from './progress'

/** What the list can be narrowed to: the states in which an order stays. */
export const FILTERS = ['CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'COMPENSATED'] as const satisfies OrderStatus[]

export type Filter = (typeof FILTERS)[number]

/** What the list of orders shows; it lives in the URL. */
export interface OrderListState {
  status: Filter | null
  after: string
}

export function readListState(query: LocationQuery): OrderListState {
  const text = (key: string) => (typeof query[key] === 'string' ? query[key] : '')
  return { status: FILTERS.find((filter) => filter.toLowerCase() === text('status')) ?? null, after: text('after') }
}

export function writeListState({ status, after }: OrderListState): LocationQueryRaw {
  return { ...(status ? { status: status.toLowerCase() } : {}), ...(after ? { after } : {}) }
}
