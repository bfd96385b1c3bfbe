import { ref } from 'vue'

const isOpen = ref(false)

/** The drawer that shows the cart beside any page. It opens by itself when something was put into the cart. */
export function useCartDrawer() {
  return { isOpen }
}
