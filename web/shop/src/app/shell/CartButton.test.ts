import { shallowMount } from '@vue/test-utils'
import { expect, it, vi } from 'vitest'
import { ref } from 'vue'
import { useCartDrawer } from '@/cart/useCartDrawer'
import CartButton from './CartButton.vue'

vi.mock('vue-router', () => ({ useRoute: () => ({ name: 'product' }), useRouter: () => ({}) }))
vi.mock('@/cart/useCart', () => ({ useCart: () => ({ count: ref(0) }) }))

const hasDrawer = () => {
  const button = shallowMount(CartButton, { global: { mocks: { $t: (key: string) => key } } })
  return button.find('cart-drawer-stub').exists()
}

it('shows a drawer that was opened before the button was there', () => {
  expect(hasDrawer()).toBe(false)
  useCartDrawer().isOpen.value = true
  expect(hasDrawer()).toBe(true)
})
