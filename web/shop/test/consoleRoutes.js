// Every page of the console, as an admin sees it, in a shop with an order and a dead letter.
const opens = (link, heading) => async (page) => {
  await page.getByRole('link', { name: link }).first().click()
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
  await page.waitForLoadState('networkidle')
}

export const consoleRoutes = [
  { name: 'console', path: '/console' },
  { name: 'console-orders', path: '/console/orders' },
  { name: 'console-order', path: '/console/orders', prepare: opens(/^[0-9A-F]{8}$/, /^Order/) },
  {
    name: 'console-order-event',
    path: '/console/orders',
    prepare: async (page) => {
      await opens(/^[0-9A-F]{8}$/, /^Order/)(page)
      await page.getByRole('option').first().click()
      await page.getByRole('heading', { name: 'Payload' }).waitFor()
    },
  },
  { name: 'console-stuck', path: '/console/orders?status=STUCK' },
  { name: 'console-find', path: '/console/find?q=demo@prost.example' },
  { name: 'console-products', path: '/console/products' },
  { name: 'console-product-new', path: '/console/products/new' },
  {
    name: 'console-product',
    path: '/console/products?sort=NAME',
    prepare: async (page) => {
      await page.getByRole('row').nth(1).getByRole('link').click()
      await page.getByRole('button', { name: 'Change stock' }).waitFor()
      await page.waitForLoadState('networkidle')
    },
  },
  { name: 'console-import', path: '/console/products/import' },
  { name: 'console-categories', path: '/console/categories' },
  { name: 'console-customers', path: '/console/customers' },
  { name: 'console-customer', path: '/console/customers', prepare: opens(/@prost\.example/, /@prost\.example/) },
  { name: 'console-messages', path: '/console/messages' },
  { name: 'console-dead', path: '/console/messages/dead' },
  { name: 'console-dead-letter', path: '/console/messages/dead', prepare: opens(/^(Order|Unreadable|Cart|Stock|Payment|Demo)/, /./) },
  {
    name: 'console-replay',
    path: '/console/messages/dead',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Replay all' }).click()
      await page.getByText(/would be handled/).waitFor()
    },
  },
  { name: 'console-outbox', path: '/console/messages/outbox' },
  { name: 'console-audit', path: '/console/messages/audit' },
]
