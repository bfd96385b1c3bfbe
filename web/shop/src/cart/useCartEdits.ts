import { computed, shallowRef } from 'vue'
import { useAction } from '@/graphql/useAction'
import type { UserError } from '@/graphql/errors'
import { AddToCartMutation, RemoveFromCartMutation, UpdateCartItemMutation } from './documents'
import { createQuantityEdits } from './quantityEdits'
import { isOver, useCart } from './useCart'
import type { CartLine } from './useCart'

/** Changes of the cart's lines. Each says at the cart what became of it: `errors`, `fault`, `removed`. */
export function useCartEdits() {
  const { cart, refresh, wasReplaced } = useCart()
  const update = useAction(UpdateCartItemMutation)
  const removal = useAction(RemoveFromCartMutation)
  const addition = useAction(AddToCartMutation)
  const failed = shallowRef<Pick<typeof update, 'userErrors' | 'fault'>>()
  const removed = shallowRef<CartLine | null>(null)

  /** Notes why an act failed. A cart that was ordered elsewhere is no failure: it makes place for the next one. */
  function judge<T>(payload: T | null, action: { userErrors: typeof update.userErrors; fault: typeof update.fault }) {
    failed.value = payload ? undefined : action
    if (action.userErrors.value.some(isOver)) {
      wasReplaced.value = true
      refresh()
    }
    return payload !== null
  }

  const quantities = createQuantityEdits(async (itemId, quantity) =>
    judge(await update.run({ itemId, quantity }), update),
  )

  async function remove(line: CartLine) {
    const isGone = judge(await removal.run({ itemId: line.id }), removal)
    if (isGone) removed.value = line.product ? line : null
  }

  /** Puts the line that was removed last back. */
  async function undo() {
    const line = removed.value
    if (!line?.product || !cart.value) return
    const { id: productId } = line.product
    const isBack = judge(await addition.run({ cartId: cart.value.id, productId, quantity: line.quantity }), addition)
    if (isBack) removed.value = null
  }

  /** Goes on with what the product costs now: a line takes the present price when more of it is added. */
  async function takePrice(line: CartLine) {
    if (!line.product || !cart.value) return
    const added = await addition.run({ cartId: cart.value.id, productId: line.product.id, quantity: 1 })
    if (judge(added, addition)) await quantities.choose(line.id, line.quantity)
  }

  return {
    setQuantity: quantities.choose,
    shownQuantity: (line: CartLine) => quantities.shown(line.id, line.quantity),
    remove,
    undo,
    removed,
    takePrice,
    isSettling: computed(() => quantities.isSettling.value || removal.pending.value || addition.pending.value),
    errors: computed<readonly UserError[]>(() => failed.value?.userErrors.value.filter((error) => !isOver(error)) ?? []),
    fault: computed(() => failed.value?.fault.value),
  }
}
