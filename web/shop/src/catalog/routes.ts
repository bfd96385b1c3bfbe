import type { RouteRecordRaw } from 'vue-router'
import { listPage, productPage } from './pages'

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
    component: listPage,
    meta: { title: 'catalog.list.title' },
  },
  {
    path: 'products/:id',
    name: 'product',
    component: productPage,
    props: true,
    meta: { title: 'catalog.product.title' },
  },
]
