import type { RouteRecordRaw } from 'vue-router'
import { addBundle } from '@/app/i18n'
import { ordersTexts } from '@/orders/texts'
import { demoTexts } from './texts'

export const demoRoutes: RouteRecordRaw[] = [
  {
    path: 'break-it',
    name: 'break-it',
    beforeEnter: [() => addBundle(demoTexts), () => addBundle(ordersTexts)],
    component: () => import('./BreakItPage.vue'),
    meta: { title: 'demo.title' },
  },
]
