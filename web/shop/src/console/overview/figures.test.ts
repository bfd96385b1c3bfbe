import { describe, expect, it } from 'vitest'
import { digitsOfRevenue, endings, everyDay, funnelSteps, mainCurrency } from './figures'

const sale = (day: string, orders: number, amount: string, currencyCode = 'EUR') => ({
  day,
  orders,
  cancelled: 0,
  revenue: { amount, currencyCode },
})

describe('sales per day', () => {
  const today = new Date('2026-11-20T23:00:00Z')

  it('have no gaps', () => {
    const days = everyDay([sale('2026-11-18', 3, '30.00')], today, 4)
    expect(days.map(({ day, orders }) => [day, orders])).toEqual([
      ['2026-11-17', 0],
      ['2026-11-18', 3],
      ['2026-11-19', 0],
      ['2026-11-20', 0],
    ])
  })

  it('count every order, but add up one currency only', () => {
    const sales = [sale('2026-11-20', 3, '30.00'), sale('2026-11-20', 1, '99.00', 'USD')]
    expect(mainCurrency(sales)).toBe('EUR')
    expect(everyDay(sales, today, 1)).toEqual([{ day: '2026-11-20', orders: 4, revenueMinor: 3000 }])
  })

  it('are added up to the last cent, however many there are', () => {
    const sales = Array.from({ length: 3 }, () => sale('2026-11-20', 1, '0.10'))
    expect(everyDay(sales, today, 1)[0]?.revenueMinor).toBe(30)
    expect([digitsOfRevenue(sales), digitsOfRevenue([sale('2026-11-20', 1, '100', 'JPY')])]).toEqual([2, 0])
  })

  it('are less than nothing where more was given back than sold', () => {
    const sales = [sale('2026-11-19', 1, '30.00'), sale('2026-11-20', 0, '-12.50')]
    expect(everyDay(sales, today, 2).map(({ revenueMinor }) => revenueMinor)).toEqual([3000, -1250])
  })

  it('are in euros as long as there are none', () => {
    expect(mainCurrency([])).toBe('EUR')
  })
})

it('a funnel says what each step kept, unless more came out than went in', () => {
  const steps = funnelSteps({
    cartsFilled: 10,
    checkouts: 20,
    stockReserved: 16,
    paid: 12,
    confirmed: 12,
    shipped: 0,
    delivered: 0,
  })
  expect(steps.map(({ kept }) => kept)).toEqual([null, null, 0.8, 0.75, 1, 0, null])
  expect(steps[1]?.share).toBe(1)
})

it('endings are added up over the days, with the mean weighed', () => {
  const found = endings([
    { outcome: 'CONFIRMED', code: null, sagas: 3, meanDurationMs: 100 },
    { outcome: 'CONFIRMED', code: null, sagas: 1, meanDurationMs: 500 },
    { outcome: 'COMPENSATED', code: 'OUT_OF_STOCK', sagas: 4, meanDurationMs: 50 },
  ])
  expect(found).toEqual([
    { outcome: 'CONFIRMED', code: null, sagas: 4, meanDurationMs: 200, share: 0.5 },
    { outcome: 'COMPENSATED', code: 'OUT_OF_STOCK', sagas: 4, meanDurationMs: 50, share: 0.5 },
  ])
})
