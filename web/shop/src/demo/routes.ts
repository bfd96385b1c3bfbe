import type { RouteRecordRaw } from 'vue-router'

export const demoRoutes: RouteRecordRaw[] = [
  {
    path: 'break-it',
    name: 'break-it',
    component: () => import('./BreakItPage.vue'),
    meta: { title: 'demo.title' },
  },
]
