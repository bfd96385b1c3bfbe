import type { RouteRecordRaw } from 'vue-router'

export const catalogRoutes: RouteRecordRaw[] = [
  {
    path: '',
    name: 'home',
    component: () => import('./HomePage.vue'),
    meta: { title: 'catalog.home.documentTitle' },
  },
  {
    path: 'products',
    name: 'products',
    component: () => import('./ProductListPage.vue'),
    meta: { title: 'catalog.list.title' },
  },
  {
    path: 'products/:id',
    name: 'product',
    component: () => import('./ProductPage.vue'),
    props: true,
  },
]
