import type { UserError } from '@/graphql/errors'
import { useCartId } from '@/cart/useCartId'

/** Refusals after which the guest's cart would never be taken over: it is gone, or ordered. */
const HOPELESS = ['CART_NOT_FOUND', 'CART_NOT_ACTIVE', 'CART_ALREADY_ORDERED', 'VALIDATION_FAILED']

/** After somebody got in: the guest's cart is theirs now. If it could not be taken over yet, the next refresh tries again. */
export function forgetGuestCart(userErrors: readonly UserError[]) {
  if (userErrors.every(({ code }) => HOPELESS.includes(code))) useCartId().value = null
}
