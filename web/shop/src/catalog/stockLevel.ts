/** From how many on a shopper need not hurry. */
const PLENTY = 6

/** How many there are, as a shopper thinks of it. */
export function stockLevel(quantity: number): 'plenty' | 'low' | 'out' {
  if (quantity <= 0) return 'out'
  return quantity < PLENTY ? 'low' : 'plenty'
}
