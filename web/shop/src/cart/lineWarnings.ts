import type { Money } from '@/ui/useFormat'
import type { CartLine } from './useCart'

/** What has changed since a line was put into the cart. Only the checkout decides; this tells beforehand. */
export type LineWarning =
  | { kind: 'gone' }
  | { kind: 'soldOut' }
  | { kind: 'short'; available: number }
  | { kind: 'price'; now: Money }

export function warningsOf(line: CartLine): LineWarning[] {
  const { product, unitPrice, quantity } = line
  if (!product) return [{ kind: 'gone' }]

  const warnings: LineWarning[] = []
  if (product.stockQuantity <= 0) warnings.push({ kind: 'soldOut' })
  else if (product.stockQuantity < quantity) warnings.push({ kind: 'short', available: product.stockQuantity })

  const { price } = product
  const isSamePrice = price.amount === unitPrice.amount && price.currencyCode === unitPrice.currencyCode
  if (!isSamePrice) warnings.push({ kind: 'price', now: price })
  return warnings
}
