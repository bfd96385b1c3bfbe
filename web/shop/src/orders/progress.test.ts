import { describe, expect, it } from 'vitest'
import { outcomeOf, stagesOf } from './progress'
import type { OrderStatus } from './progress'

const timeline = (...events: string[]) =>
  events.map((event, second) => ({ event, at: `2026-03-01T09:30:0${second}Z`, service: 'orders', detail: null }))

const statesOf = (status: OrderStatus, ...events: string[]) =>
  stagesOf({ status, timeline: timeline(...events) }).map(({ state }) => state)

describe('the stages of an order', () => {
  it('come one after the other', () => {
    expect(statesOf('PENDING')).toEqual(['current', 'waiting', 'waiting', 'waiting'])
    expect(statesOf('CART_VALIDATED', 'CartCheckoutInitiated', 'OrderPlaced')).toEqual([
      'done', 'current', 'waiting', 'waiting',
    ])
    expect(statesOf('INVENTORY_RESERVED', 'OrderPlaced', 'StockReserved', 'PaymentRequested')).toEqual([
      'done', 'done', 'current', 'waiting',
    ])
    expect(statesOf('CONFIRMED', 'OrderPlaced', 'StockReserved', 'PaymentProcessed', 'OrderConfirmed')).toEqual([
      'done', 'done', 'done', 'done',
    ])
  })

  it('are undone in reverse after a decline', () => {
    const declined = ['OrderPlaced', 'StockReserved', 'PaymentRequested', 'PaymentFailed', 'OrderFailed', 'ReleaseRequested']
    expect(statesOf('FAILED', ...declined)).toEqual(['done', 'undoing', 'failed', 'never'])
    expect(statesOf('FAILED', ...declined, 'StockReleased', 'ReopenRequested')).toEqual([
      'undoing', 'undone', 'failed', 'never',
    ])
    expect(statesOf('COMPENSATED', ...declined, 'StockReleased', 'ReopenRequested', 'CartReopened')).toEqual([
      'undone', 'undone', 'failed', 'never',
    ])
  })

  it('never claim a payment where stock was missing', () => {
    expect(statesOf('COMPENSATED', 'OrderPlaced', 'StockReservationFailed', 'OrderFailed', 'CartReopened')).toEqual([
      'undone', 'failed', 'never', 'never',
    ])
  })

  it('of a cancelled order that was confirmed keep its cart bought', () => {
    const confirmed = ['OrderPlaced', 'StockReserved', 'PaymentProcessed', 'OrderConfirmed']
    expect(statesOf('CANCELLED', ...confirmed, 'PaymentRefunded', 'StockReleased')).toEqual([
      'done', 'undone', 'undone', 'done',
    ])
  })

  it('say when they came to be what they are', () => {
    const [cart, stock] = stagesOf({ status: 'CART_VALIDATED', timeline: timeline('CartCheckoutInitiated', 'OrderPlaced') })
    expect([cart?.at, stock?.at]).toEqual(['2026-03-01T09:30:01Z', null])
  })
})

describe('the outcome of an order', () => {
  it('tells why it failed only when everything is undone', () => {
    expect(outcomeOf({ status: 'FAILED', failureCode: 'OUT_OF_STOCK' })).toBe('undoing')
    expect(outcomeOf({ status: 'COMPENSATED', failureCode: 'OUT_OF_STOCK' })).toBe('outOfStock')
    expect(outcomeOf({ status: 'COMPENSATED', failureCode: 'SOMETHING_NEW' })).toBe('failed')
    expect(outcomeOf({ status: 'COMPENSATED', failureCode: null })).toBe('failed')
  })
})
