import type { RouteRecordRaw } from 'vue-router'

export const accountRoutes: RouteRecordRaw[] = [
  {
    path: 'login',
    name: 'login',
    component: () => import('./LoginPage.vue'),
    meta: { title: 'account.login' },
  },
  {
    path: 'register',
    name: 'register',
    component: () => import('./RegisterPage.vue'),
    meta: { title: 'account.register' },
  },
  {
    path: 'account',
    name: 'account',
    component: () => import('./AccountPage.vue'),
    meta: { title: 'account.title', requires: 'login' },
  },
]
