import type { RouteRecordRaw } from 'vue-router'
import { addBundle } from '@/app/i18n'

/** The operator console: a tree of its own, with layout and texts that no shopper loads. */
export const consoleRoutes: RouteRecordRaw[] = [
  {
    path: '/console',
    component: () => import('./ConsoleLayout.vue'),
    beforeEnter: () => addBundle(consoleTexts),
    meta: { requires: 'admin' },
    children: [
      {
        path: '',
        name: 'console',
        component: () => import('./OverviewPage.vue'),
        meta: { title: 'console.overview' },
      },
    ],
  },
]

const consoleTexts = {
  en: () => import('./i18n/en.json'),
  de: () => import('./i18n/de.json'),
}
