import { useQuery } from '@urql/vue'
import { until } from '@vueuse/core'
import { computed, ref } from 'vue'
import { useSession } from '@/account/useSession'
import { useAction } from '@/graphql/useAction'
import type { UserError } from '@/graphql/errors'
import type { ResultOf } from '@/graphql/tada'
import { AddToCartMutation, CurrentCartQuery } from './documents'
import type { CartFields } from './documents'
import { useCartDrawer } from './useCartDrawer'
import { useCartId } from './useCartId'

export type Cart = ResultOf<typeof CartFields>
export type CartLine = Cart['items'][number]

/** A refusal that says: this cart is no longer one to shop with. */
export const isOver = ({ code }: UserError) => code === 'CART_NOT_ACTIVE' || code === 'CART_ALREADY_ORDERED'

/** Whether a cart of this tab turned out to be ordered already, in another tab perhaps, so that a new one was begun. */
const wasReplaced = ref(false)

/** The visitor's cart: a guest's, known by its id in this browser, or the account's latest active one. */
export function useCart() {
  const { user, restored } = useSession()
  const guestId = useCartId()
  const isKnown = ref(false)
  void restored.then(() => (isKnown.value = true))

  const isGuest = computed(() => user.value === null)
  /** Nothing to ask for: it is not known who the visitor is, or a guest has no cart yet. */
  const isNowhere = computed(() => !isKnown.value || (isGuest.value && guestId.value === null))
  const { data, error, fetching, executeQuery } = useQuery({
    query: CurrentCartQuery,
    variables: computed(() => ({ id: guestId.value ?? '', isGuest: isGuest.value })),
    pause: isNowhere,
  })
  const cart = computed<Cart | null>(() => {
    if (isGuest.value) return guestId.value ? (data.value?.cart ?? null) : null
    return data.value?.me?.cart ?? null
  })

  /** Prices and stock move, and carts come back from orders that failed. */
  function refresh() {
    if (!isNowhere.value) void executeQuery({ requestPolicy: 'network-only' })
  }

  const add = useAction(AddToCartMutation)
  const addingProduct = ref<string | null>(null)

  /** Puts a product into the cart, into a new one if need be, and shows it. `addErrors` or `addFault` say why it did not happen. */
  async function addToCart(productId: string, quantity = 1): Promise<boolean> {
    addingProduct.value = productId
    wasReplaced.value = false
    await restored
    await until(fetching).toBe(false)
    const into = cart.value?.id
    let payload = await add.run(into ? { cartId: into, productId, quantity } : { productId, quantity })
    if (!payload && add.userErrors.value.some((refusal) => isOver(refusal) || refusal.code === 'CART_NOT_FOUND')) {
      wasReplaced.value = true
      payload = await add.run({ productId, quantity })
    }
    addingProduct.value = null
    if (!payload?.cart) return false
    if (isGuest.value) guestId.value = payload.cart.id
    else if (payload.cart.id !== into) refresh()
    useCartDrawer().isOpen.value = true
    return true
  }

  return {
    cart,
    /** How many things are in the cart. */
    count: computed(() => cart.value?.itemCount ?? 0),
    error,
    fetching: computed(() => !isKnown.value || fetching.value),
    refresh,
    wasReplaced,
    addToCart,
    /** The product that is being added at this moment. */
    addingProduct,
    addErrors: add.userErrors,
    addFault: add.fault,
  }
}
