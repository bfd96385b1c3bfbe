import type { RouteRecordRaw } from 'vue-router'
import { addBundle } from '@/app/i18n'
import { demoTexts } from '@/demo/texts'
import { accountTexts } from './texts'

export const accountRoutes: RouteRecordRaw[] = [
  {
    path: 'login',
    name: 'login',
    beforeEnter: [() => addBundle(accountTexts), () => addBundle(demoTexts)],
    component: () => import('./LoginPage.vue'),
    meta: { title: 'account.login' },
  },
  {
    path: 'register',
    name: 'register',
    beforeEnter: [() => addBundle(accountTexts)],
    component: () => import('./RegisterPage.vue'),
    meta: { title: 'account.register' },
  },
  {
    path: 'account',
    name: 'account',
    beforeEnter: [() => addBundle(accountTexts)],
    component: () => import('./AccountPage.vue'),
    meta: { title: 'account.title', requires: 'login' },
  },
]
