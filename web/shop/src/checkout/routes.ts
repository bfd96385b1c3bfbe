import type { RouteRecordRaw } from 'vue-router'

export const checkoutRoutes: RouteRecordRaw[] = [
  {
    path: 'checkout/:step(address|payment|review)?',
    name: 'checkout',
    component: () => import('./CheckoutPage.vue'),
    meta: { title: 'checkout.title', requires: 'login' },
  },
]
