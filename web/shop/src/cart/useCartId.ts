import { useLocalStorage } from '@vueuse/core'
import type { RemovableRef } from '@vueuse/core'

const cartId = useLocalStorage<string | null>('prost.cart', null, { writeDefaults: false })

/** The cart of a guest, kept in this browser; whoever holds the id may use the cart. A login takes it over. */
export function useCartId(): RemovableRef<string | null> {
  return cartId
}
