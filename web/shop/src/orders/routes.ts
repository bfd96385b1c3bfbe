import type { RouteRecordRaw } from 'vue-router'
import { addBundle } from '@/app/i18n'
import { checkoutTexts } from '@/checkout/texts'
import { ordersTexts } from './texts'

export const orderRoutes: RouteRecordRaw[] = [
  {
    path: 'orders',
    name: 'orders',
    beforeEnter: [() => addBundle(ordersTexts), () => addBundle(checkoutTexts)],
    component: () => import('./OrdersPage.vue'),
    meta: { title: 'orders.title', requires: 'login' },
  },
  {
    path: 'orders/:id',
    name: 'order',
    beforeEnter: [() => addBundle(ordersTexts), () => addBundle(checkoutTexts)],
    component: () => import('./OrderPage.vue'),
    meta: { title: 'orders.one', requires: 'login' },
  },
]
