import type { RouteRecordRaw } from 'vue-router'
import { addBundle } from '@/app/i18n'

const consoleTexts = {
  en: () => import('./i18n/en'),
  de: () => import('./i18n/de'),
}

const loadTexts = () => addBundle(consoleTexts)

/** The operator console: a tree of its own, with layout and texts that no shopper loads. */
export const consoleRoutes: RouteRecordRaw[] = [
  {
    path: '/console/denied',
    name: 'console-denied',
    component: () => import('./DeniedPage.vue'),
    beforeEnter: loadTexts,
    meta: { title: 'console.denied.title' },
  },
  {
    path: '/console',
    component: () => import('./ConsoleLayout.vue'),
    beforeEnter: loadTexts,
    meta: { requires: 'admin' },
    children: [
      {
        path: '',
        name: 'console',
        component: () => import('./overview/OverviewPage.vue'),
        meta: { title: 'console.overview' },
      },
      {
        path: 'find',
        name: 'console-find',
        component: () => import('./find/FindPage.vue'),
        meta: { title: 'console.find' },
      },
      {
        path: 'orders',
        name: 'console-orders',
        component: () => import('./orders/OrdersPage.vue'),
        meta: { title: 'console.orders' },
      },
      {
        path: 'orders/:id',
        name: 'console-order',
        component: () => import('./orders/OrderPage.vue'),
        props: true,
        meta: { title: 'consoleOrders.order' },
      },
      {
        path: 'products',
        name: 'console-products',
        component: () => import('./products/ProductsPage.vue'),
        meta: { title: 'console.products' },
      },
      {
        path: 'products/new',
        name: 'console-product-new',
        component: () => import('./products/NewProductPage.vue'),
        meta: { title: 'consoleProducts.new' },
      },
      {
        path: 'products/import',
        name: 'console-import',
        component: () => import('./products/ImportPage.vue'),
        meta: { title: 'consoleProducts.import.title' },
      },
      {
        path: 'products/:id',
        name: 'console-product',
        component: () => import('./products/EditProductPage.vue'),
        props: true,
        meta: { title: 'consoleProducts.product' },
      },
      {
        path: 'categories',
        name: 'console-categories',
        component: () => import('./products/CategoriesPage.vue'),
        meta: { title: 'console.categories' },
      },
      {
        path: 'customers',
        name: 'console-customers',
        component: () => import('./customers/CustomersPage.vue'),
        meta: { title: 'console.customers' },
      },
      {
        path: 'customers/:id',
        name: 'console-customer',
        component: () => import('./customers/CustomerPage.vue'),
        props: true,
        meta: { title: 'consoleCustomers.customer' },
      },
      {
        path: 'messages',
        name: 'console-messages',
        component: () => import('./messages/QueuesPage.vue'),
        meta: { title: 'console.messages' },
      },
      {
        path: 'messages/dead',
        name: 'console-dead',
        component: () => import('./messages/DeadLettersPage.vue'),
        meta: { title: 'consoleMessages.dead.title' },
      },
      {
        path: 'messages/dead/:service/:queue/:id',
        name: 'console-dead-letter',
        component: () => import('./messages/DeadLetterPage.vue'),
        props: true,
        meta: { title: 'consoleMessages.letter.title' },
      },
      {
        path: 'messages/outbox',
        name: 'console-outbox',
        component: () => import('./messages/OutboxPage.vue'),
        meta: { title: 'consoleMessages.outbox.title' },
      },
      {
        path: 'messages/outbox/:service/:eventId',
        name: 'console-outbox-event',
        component: () => import('./messages/OutboxEventPage.vue'),
        props: true,
        meta: { title: 'consoleMessages.unsentEvent.title' },
      },
      {
        path: 'messages/audit',
        name: 'console-audit',
        component: () => import('./messages/AuditPage.vue'),
        meta: { title: 'consoleMessages.audit.title' },
      },
    ],
  },
]
