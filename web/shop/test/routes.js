import { becomeCustomer, beginCheckout, buy, enterDetails, fillCart } from './shopper.js'

/** An id that nothing has. */
const NOWHERE = '01a1f86a-0000-7000-8000-000000000000'

// Every page that has a look of its own, for the screenshots and the checks of accessibility.
// `prepare` brings a page into the state that is meant: it gets the page, already at its path. `isRare`: one look at it on
// each device is enough for the checks.
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
  {
    name: 'product-gone',
    path: `/products/${NOWHERE}`,
    isRare: true,
    prepare: (page) => page.getByRole('heading', { level: 1, name: 'This one is gone' }).waitFor(),
  },
  {
    name: 'products-fault',
    path: '/login',
    isRare: true,
    prepare: async (page) => {
      await page.route('**/graphql', (route) => route.fulfill({ json: { errors: [{ message: 'nobody is there' }] } }))
      await page.getByRole('link', { name: 'Prost, home page' }).click()
      await page.getByRole('main').getByRole('button', { name: 'Try again' }).waitFor()
    },
  },
  { name: 'cart-trouble', path: '/login', isRare: true, prepare: showTroubledCart },
  {
    name: 'orders-empty',
    path: '/login',
    isRare: true,
    prepare: async (page) => {
      await becomeCustomer(page)
      await page.goto('/orders')
      await page.getByRole('heading', { name: 'No orders yet' }).waitFor()
    },
  },
  {
    name: 'order-unknown',
    path: '/login',
    isRare: true,
    prepare: async (page) => {
      await becomeCustomer(page)
      await page.goto(`/orders/${NOWHERE}`)
      await page.getByText('There is no such order in your account.').waitFor()
    },
  },
  {
    name: 'order-offline',
    path: '/login',
    isRare: true,
    prepare: async (page) => {
      await page.routeWebSocket('**/graphql', (socket) => socket.close({ code: 4900, reason: 'lost' }))
      await beginCheckout(page)
      await enterDetails(page, 'A slow bank')
      await page.getByRole('button', { name: /^Order and pay/ }).click()
      await page.getByText('The connection is lost.').waitFor()
    },
  },
  {
    name: 'account-delete',
    path: '/login',
    isRare: true,
    prepare: async (page) => {
      await becomeCustomer(page)
      await page.goto('/account')
      await page.getByRole('button', { name: 'Delete account' }).click()
      await page.getByRole('dialog').getByLabel('Password').waitFor()
    },
  },
  {
    name: 'denied',
    path: '/login',
    isRare: true,
    prepare: async (page) => {
      await becomeCustomer(page)
      await page.goto('/console')
      await page.getByRole('heading', { level: 1, name: 'For operators only' }).waitFor()
    },
  },
]

async function showCart(page) {
  await fillCart(page)
  await page.goto('/cart')
  await page.getByRole('link', { name: 'Check out' }).waitFor()
}

/** A cart whose line is dearer than it was, and sold out: the answer is changed on its way, since others shop here too. */
async function showTroubledCart(page) {
  await fillCart(page, { token: await becomeCustomer(page) })
  await page.route('**/graphql', async (route) => {
    if (!route.request().postData()?.includes('query CurrentCart')) return route.continue()
    const response = await route.fetch()
    const answer = await response.json()
    const line = answer.data.me?.cart?.items[0]
    if (line) line.product = { ...line.product, price: { ...line.product.price, amount: '99.00' }, stockQuantity: 0, inStock: false }
    return route.fulfill({ response, json: answer })
  })
  await page.goto('/cart')
  await page.getByText('Sold out by now.').waitFor()
}
