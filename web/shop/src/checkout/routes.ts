import type { RouteRecordRaw } from 'vue-router'
import { addBundle } from '@/app/i18n'
import { checkoutTexts } from './texts'

export const checkoutRoutes: RouteRecordRaw[] = [
  {
    path: 'checkout/:step(address|payment|review)?',
    name: 'checkout',
    beforeEnter: [() => addBundle(checkoutTexts)],
    component: () => import('./CheckoutPage.vue'),
    meta: { title: 'checkout.title', requires: 'login' },
  },
]
