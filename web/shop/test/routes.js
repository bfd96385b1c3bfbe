import { becomeCustomer, beginCheckout, buy, enterDetails, fillCart } from './shopper.js'

// Every page that has a look of its own, for the screenshots and the checks of accessibility.
// `prepare` brings a page into the state that is meant: it gets the page, already at its path.
export const routes = [
  { name: 'home', path: '/' },
  { name: 'products', path: '/products' },
  { name: 'products-search', path: '/products?q=riesling' },
  {
    name: 'product',
    path: '/products?q=kabinett',
    prepare: async (page) => {
      await page.getByRole('link', { name: /Kabinett/ }).first().click()
      await page.getByRole('heading', { level: 1, name: /Kabinett/ }).waitFor()
      await page.waitForLoadState('networkidle')
    },
  },
  {
    name: 'search-suggestions',
    path: '/',
    prepare: async (page) => {
      await page.getByRole('combobox').fill('ries')
      await page.getByRole('option').first().waitFor()
    },
  },
  { name: 'products-empty', path: '/products?q=nothing-of-the-kind' },
  { name: 'login', path: '/login' },
  { name: 'register', path: '/register' },
  {
    name: 'register-errors',
    path: '/register',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Open an account' }).click()
      await page.getByText('This does not look like an e-mail address.').waitFor()
    },
  },
  { name: 'cart-empty', path: '/cart' },
  { name: 'cart', path: '/login', prepare: showCart },
  {
    name: 'cart-drawer',
    path: '/login',
    prepare: async (page) => {
      await fillCart(page)
      await page.reload()
      await page.getByRole('button', { name: 'Cart, 1 item' }).click()
      await page.getByRole('dialog').getByRole('link', { name: 'Check out' }).waitFor()
    },
  },
  { name: 'checkout-address', path: '/login', prepare: (page) => beginCheckout(page) },
  {
    name: 'checkout-payment',
    path: '/login',
    prepare: async (page) => {
      await beginCheckout(page)
      await enterDetails(page)
      await page.goBack()
      await page.getByRole('heading', { name: 'How would you like to pay?' }).waitFor()
    },
  },
  {
    name: 'checkout-review',
    path: '/login',
    prepare: async (page) => {
      await beginCheckout(page)
      await enterDetails(page)
    },
  },
  { name: 'order', path: '/login', prepare: (page) => buy(page) },
  {
    name: 'order-cancel',
    path: '/login',
    prepare: async (page) => {
      await buy(page)
      await page.getByRole('button', { name: 'Cancel this order' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'order-declined',
    path: '/login',
    prepare: (page) => buy(page, 'Visa, ending in 0002', 'The bank declined the payment'),
  },
  {
    name: 'orders',
    path: '/login',
    prepare: async (page) => {
      await buy(page)
      await page.goto('/orders')
      await page.getByRole('heading', { level: 1, name: 'Your orders' }).waitFor()
      await page.getByRole('listitem').getByText('Confirmed').filter({ visible: true }).nth(1).waitFor()
    },
  },
  {
    name: 'account',
    path: '/login',
    prepare: async (page) => {
      await becomeCustomer(page)
      await page.goto('/account')
      await page.getByRole('heading', { name: 'Your data' }).waitFor()
    },
  },
  {
    name: 'break-it',
    path: '/break-it',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Decline a payment' }).click()
      await page.getByText('Nothing was charged.').waitFor()
    },
  },
  { name: 'not-found', path: '/no/such/page' },
]

async function showCart(page) {
  await fillCart(page)
  await page.goto('/cart')
  await page.getByRole('link', { name: 'Check out' }).waitFor()
}
