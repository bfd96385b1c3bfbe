import { nextTick, watch } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import type { RouteLocationNormalized, RouteRecordRaw } from 'vue-router'
import { accountRoutes } from '@/account/routes'
import { cartRoutes } from '@/cart/routes'
import { catalogRoutes } from '@/catalog/routes'
import { checkoutRoutes } from '@/checkout/routes'
import { consoleRoutes } from '@/console/routes'
import { demoRoutes } from '@/demo/routes'
import { orderRoutes } from '@/orders/routes'
import type { Session } from '@/graphql/session'
import { endFirstPage } from '@/ui/turns'
import { i18n, restored } from './i18n'
import { showTitles } from './usePageTitle'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's title; a page whose title comes from data calls `usePageTitle` besides. */
    title?: string
    /** Who may see the page; others are sent to the login and come back. */
    requires?: 'login' | 'admin'
  }
}

const routes: RouteRecordRaw[] = [
  {
    path: '/',
    component: () => import('./shell/ShopLayout.vue'),
    children: [
      ...catalogRoutes,
      ...cartRoutes,
      ...checkoutRoutes,
      ...orderRoutes,
      ...accountRoutes,
      ...demoRoutes,
      {
        path: ':unknown(.*)*',
        name: 'not-found',
        component: () => import('./NotFoundPage.vue'),
        meta: { title: 'app.notFound.title' },
      },
    ],
  },
  ...consoleRoutes,
]

export function createShopRouter(session: Session) {
  const router = createRouter({
    history: createWebHistory(),
    routes,
    // Another page of a list is read from its beginning; other changes of a page leave the reader where they are.
    scrollBehavior: (to, from, saved) =>
      saved ?? (to.path === from.path && to.query.after === from.query.after ? false : { top: 0 }),
  })

  router.beforeEach(async (to) => {
    const { requires } = to.meta
    if (!requires) return
    await session.restored
    if (!session.user.value) return { name: 'login', query: { next: to.fullPath } }
    if (requires === 'admin' && !session.isAdmin.value) return { name: 'console-denied', query: { next: to.fullPath } }
  })

  // Who logs out, here or in another tab, does not stay where a login is needed.
  watch(session.user, (user) => {
    const { meta, fullPath } = router.currentRoute.value
    if (!user && meta.requires) void router.push({ name: 'login', query: { next: fullPath } })
  })

  // A title is a text: where the first page is quicker than the texts, it waits for them.
  router.beforeResolve(() => restored)
  showTitles(() => {
    const { title } = router.currentRoute.value.meta
    return title && i18n.global.t(title)
  })

  router.afterEach((to, from, failure) => {
    if (failure) return
    if (from.matched.length === 0 || to.path === from.path) return
    endFirstPage()
    void focusPage(to)
  })

  return router
}

/** A new page is read out from its heading, and the keyboard begins there. */
async function focusPage(to: RouteLocationNormalized) {
  await nextTick()
  if (to.hash) return
  const heading = document.querySelector<HTMLElement>('main h1') ?? document.querySelector('main')
  heading?.setAttribute('tabindex', '-1')
  heading?.focus({ preventScroll: true })
}
