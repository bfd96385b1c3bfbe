import { describe, expect, it } from 'vitest'
import { warningsOf } from './lineWarnings'
import type { CartLine } from './useCart'

const euros = (amount: string) => ({ amount, currencyCode: 'EUR' })

function line(quantity: number, product: { stockQuantity: number; price?: string } | null): CartLine {
  return {
    id: 'line',
    name: 'Assam',
    quantity,
    unitPrice: euros('12.00'),
    lineTotal: euros('12.00'),
    product: product && {
      id: 'assam',
      imageUrl: null,
      stockQuantity: product.stockQuantity,
      inStock: product.stockQuantity > 0,
      price: euros(product.price ?? '12.00'),
    },
  }
}

describe('a line of the cart', () => {
  it('is quiet while nothing has changed', () => {
    expect(warningsOf(line(3, { stockQuantity: 3 }))).toEqual([])
  })

  it('warns when there is less than wanted, and when there is nothing left', () => {
    expect(warningsOf(line(3, { stockQuantity: 2 }))).toEqual([{ kind: 'short', available: 2 }])
    expect(warningsOf(line(1, { stockQuantity: 0 }))).toEqual([{ kind: 'soldOut' }])
  })

  it('warns when the price is another, cheaper or dearer', () => {
    for (const price of ['11.99', '12.01']) {
      expect(warningsOf(line(1, { stockQuantity: 9, price }))).toEqual([{ kind: 'price', now: euros(price) }])
    }
  })

  it('warns of both, and of a product that is gone of that alone', () => {
    expect(warningsOf(line(2, { stockQuantity: 1, price: '13.00' })).map(({ kind }) => kind)).toEqual(['short', 'price'])
    expect(warningsOf(line(2, null))).toEqual([{ kind: 'gone' }])
  })
})
