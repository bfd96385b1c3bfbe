import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { onTestPage } from '@/graphql/onTestPage'
import { useOrder } from './useOrders'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

interface Story {
  status?: string
  payment?: string
  refunds?: string[]
  handledAt?: string | null
}

const HANDLED = '2026-11-20T09:00:00Z'

/** As far as it matters to how closely an order is followed. */
const answer = ({ status = 'DELIVERED', payment = 'CAPTURED', refunds = [], handledAt = HANDLED }: Story) => ({
  order: { status, payments: [{ status: payment, refunds: refunds.map((refund) => ({ status: refund })) }] },
  saga: { status, events: [{ deliveries: [{ handledAt }] }] },
})

/** An order's page, whose `story` may go on, and how often it asked. */
async function following(story: Story) {
  const shop = { story, asked: 0 }
  const { used } = onTestPage(
    () => useOrder('an-order'),
    () => {
      shop.asked += 1
      return answer(shop.story)
    },
  )
  await flushPromises()
  return { shop, order: used.order }
}

async function pass(ms: number) {
  await vi.advanceTimersByTimeAsync(ms)
  await flushPromises()
}

describe('an order that an operator looks at', () => {
  it('is asked for rarely once nothing about it moves', async () => {
    const { shop } = await following({ payment: 'PARTIALLY_REFUNDED', refunds: ['SUCCEEDED', 'FAILED'] })
    await pass(10_000)
    expect(shop.asked).toBe(1)
    await pass(10_000)
    expect(shop.asked).toBe(2)
  })

  it.each<[string, Story]>([
    ['the order', { status: 'CANCELLING' }],
    ['a payment that is not decided', { payment: 'PENDING' }],
    ['a payment that is not captured', { payment: 'AUTHORIZED' }],
    ['a refund', { refunds: ['SUCCEEDED', 'PENDING'] }],
    ['an event that somebody has still to hear of', { handledAt: null }],
  ])('is followed closely while there is something on its way: %s', async (_, story) => {
    const { shop } = await following(story)
    await pass(10_000)
    expect(shop.asked).toBe(6)
  })

  it('shows within moments that its refund went through, and rests then', async () => {
    const { shop, order } = await following({ refunds: ['PENDING'] })
    shop.story = { payment: 'REFUNDED', refunds: ['SUCCEEDED'] }
    await pass(2_000)
    expect(order.value?.payments[0]?.status).toBe('REFUNDED')
    await pass(18_000)
    expect(shop.asked).toBe(2)
  })
})
