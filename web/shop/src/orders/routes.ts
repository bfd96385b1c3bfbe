import type { RouteRecordRaw } from 'vue-router'

export const orderRoutes: RouteRecordRaw[] = [
  {
    path: 'orders',
    name: 'orders',
    component: () => import('./OrdersPage.vue'),
    meta: { title: 'orders.title', requires: 'login' },
  },
  {
    path: 'orders/:id',
    name: 'order',
    component: () => import('./OrderPage.vue'),
    meta: { title: 'orders.one', requires: 'login' },
  },
]
