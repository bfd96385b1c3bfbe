import { useQuery } from '@urql/vue'
import { StorageSerializers, useOnline, useSessionStorage } from '@vueuse/core'
import { computed, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { useCart } from '@/cart/useCart'
import { useAction } from '@/graphql/useAction'
import type { Attempt } from '@/graphql/useAction'
import type { VariablesOf } from '@/graphql/tada'
import { toForm, toInput } from './address'
import { CheckoutMutation, LastAddressQuery } from './documents'
import { stepOf } from './steps'
import type { Entered, Step } from './steps'

type Input = Omit<VariablesOf<typeof CheckoutMutation>['input'], 'idempotencyKey'>

/**
 * The checkout: what was entered, and the one act that makes an order of it.
 *
 * What was entered is personal, so it is kept for this tab alone (session storage): neither a reload nor a declined
 * payment loses it, the next order begins with the review, and it is gone with the logout or the tab. An order that was
 * sent and not answered is kept there, too: it is sent again, with the same key, as soon as there is a connection. The
 * shop then answers what became of it; it never makes a second one.
 */
export function useCheckout() {
  const route = useRoute()
  const router = useRouter()
  const { cart, refresh } = useCart()
  const online = useOnline()
  const entered = useSessionStorage<Entered>('prost.checkout', { address: null, paymentMethod: null })
  const attempt = useSessionStorage<Attempt | null>('prost.checkout.attempt', null, {
    serializer: StorageSerializers.object,
  })
  const { run, pending, userErrors, fault } = useAction(CheckoutMutation, attempt)

  const step = computed(() => stepOf(String(route.params.step), entered.value))
  const goTo = (next: Step) => router.push({ name: 'checkout', params: { step: next } })

  async function send(input: Input) {
    const payload = await run(input)
    if (payload?.order) {
      refresh()
      await router.replace({ name: 'order', params: { id: payload.order.id } })
      return
    }
    const blamed = userErrors.value.map((error) => error.field?.[0])
    if (blamed.includes('shippingAddress')) await goTo('address')
    else if (blamed.includes('paymentMethod')) await goTo('payment')
  }

  async function placeOrder() {
    const { address, paymentMethod } = entered.value
    if (!cart.value || !address || !paymentMethod) return
    await send({ cartId: cart.value.id, paymentMethod, shippingAddress: toInput(address) })
  }

  /** Asks what became of an order whose answer was lost. */
  async function resume() {
    if (attempt.value) await send(JSON.parse(attempt.value.input) as Input)
  }

  watch(online, (isBack) => isBack && void resume())
  void resume()

  return {
    cart,
    entered,
    step,
    goTo,
    placeOrder,
    resume,
    pending,
    /** An order was sent, and nobody knows yet whether it arrived. */
    isUnanswered: computed(() => attempt.value !== null && !pending.value),
    userErrors,
    fault,
  }
}

/** Where the last order went; null if there is none. */
export function useLastAddress() {
  const { data } = useQuery({ query: LastAddressQuery, requestPolicy: 'cache-and-network' })
  return computed(() => {
    const address = data.value?.me?.orders.edges[0]?.node.shippingAddress
    return address ? toForm(address) : null
  })
}
