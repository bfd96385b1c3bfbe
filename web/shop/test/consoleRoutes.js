// Every page of the console, as an admin sees it, in a shop with an order and a dead letter. Those that `need` something
// broken, a stuck order or an unsent event, say where it shows: screenshots of a shop without it leave them out. What
// `isState` is a dialog or an answer on a page that is visited anyway: tests look at it in one theme on each device.
import { adminToken, ask } from './shopper.js'

const opens = (link, heading) => async (page) => {
  await page.getByRole('main').getByRole('link', { name: link }).first().click()
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
  await page.waitForLoadState('networkidle')
}

const opensOrder = (path = '/console/orders') => ({
  path,
  prepare: async (page) => {
    await opens(/^[0-9A-F]{8}$/, /^Order [0-9A-F]{8}$/)(page)
    await page.getByRole('option').first().waitFor()
  },
})

/** A page, and then the dialog behind one of its buttons. */
const asks = ({ path, prepare }, button) => ({
  path,
  isState: true,
  prepare: async (page) => {
    await prepare?.(page)
    await page.getByRole('main').getByRole('button', { name: button }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel', exact: true }).waitFor()
  },
})

const refunds = asks(opensOrder('/console/orders?status=CONFIRMED'), 'Refund')
const refundsTooMuch = {
  ...refunds,
  prepare: async (page) => {
    await refunds.prepare(page)
    await page.getByLabel('Amount in EUR').fill('1000000')
    await page.getByText(/^An amount of .+ at most, please\.$/).waitFor()
  },
}

/** The dialog that looks ahead before anything happens to dead letters. */
const looksAhead = (button) => {
  const { prepare, ...dialog } = asks({ path: '/console/messages/dead' }, button)
  return {
    ...dialog,
    prepare: async (page) => {
      await prepare(page)
      await page.getByText(/would be handled/).waitFor()
    },
  }
}

const someProduct = {
  path: '/console/products?sort=NAME',
  prepare: async (page) => {
    await page.getByRole('row').nth(1).getByRole('link').click()
    await page.getByRole('button', { name: 'Change stock' }).waitFor()
    await page.waitForLoadState('networkidle')
  },
}

const someCustomer = { path: '/console/customers', prepare: opens(/@prost\.example/, /@prost\.example/) }
const stuck = { needs: (page) => page.getByRole('row').nth(1) }
const unsent = { needs: (page) => page.getByRole('button', { name: 'Send again' }) }
const unsentEvent = {
  path: '/console/messages/outbox',
  prepare: async (page) => {
    await page.getByRole('list', { name: 'Events not sent yet' }).getByRole('listitem').filter({ hasText: 'Given up' }).getByRole('link').first().click()
    await page.getByRole('region', { name: 'Message' }).waitFor()
  },
}

export const consoleRoutes = [
  { name: 'console', path: '/console' },
  { name: 'console-denied', path: '/console/denied' },
  { name: 'console-orders', path: '/console/orders' },
  { name: 'console-order', ...opensOrder() },
  {
    name: 'console-order-event',
    path: '/console/orders',
    prepare: async (page) => {
      await opensOrder().prepare(page)
      await page.getByRole('option').first().click()
      await page.getByRole('heading', { name: 'Payload' }).waitFor()
    },
  },
  { name: 'console-cancel', ...asks(opensOrder('/console/orders?status=CONFIRMED'), 'Cancel order') },
  { name: 'console-refund', ...refunds },
  { name: 'console-refund-wrong', ...refundsTooMuch },
  { name: 'console-stuck', path: '/console/orders?status=STUCK' },
  { name: 'console-stuck-order', ...stuck, ...opensOrder('/console/orders?status=STUCK') },
  { name: 'console-retry', ...stuck, ...asks(opensOrder('/console/orders?status=STUCK'), 'Retry') },
  { name: 'console-find', path: '/console/find?q=demo@prost.example' },
  { name: 'console-products', path: '/console/products' },
  { name: 'console-product-new', path: '/console/products/new' },
  {
    name: 'console-product-wrong',
    isState: true,
    path: '/console/products/new',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Create product' }).click()
      await page.getByText('A name is needed.').waitFor()
    },
  },
  { name: 'console-product', ...someProduct },
  { name: 'console-conflict', isState: true, path: '/console/products', prepare: (page) => editAtOnce(page) },
  { name: 'console-import', path: '/console/products/import' },
  {
    name: 'console-import-plan',
    isState: true,
    path: '/console/products/import',
    prepare: async (page) => {
      const list = ['sku,name,price,stock', 'BEE-TRI-330,Abbey Tripel,3.80,48', 'NEW-001,Test Soda,1.10,12', 'NEW-002,,free,1']
      const file = { name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(list.join('\n')) }
      await page.locator('input[type=file]').setInputFiles(file)
      await page.getByRole('button', { name: /^Import \d/ }).waitFor()
    },
  },
  { name: 'console-categories', path: '/console/categories' },
  { name: 'console-customers', path: '/console/customers' },
  { name: 'console-customer', ...someCustomer },
  { name: 'console-role', ...asks(someCustomer, 'Change role') },
  { name: 'console-messages', path: '/console/messages' },
  { name: 'console-dead', path: '/console/messages/dead' },
  {
    name: 'console-dead-letter',
    path: '/console/messages/dead',
    prepare: async (page) => {
      await page.getByRole('row').nth(1).getByRole('link').click()
      await page.getByRole('region', { name: 'Message' }).waitFor()
    },
  },
  { name: 'console-replay', ...looksAhead('Replay all') },
  { name: 'console-discard', ...looksAhead('Discard all') },
  { name: 'console-outbox', path: '/console/messages/outbox' },
  { name: 'console-outbox-event', ...unsent, ...unsentEvent },
  { name: 'console-outbox-discard', ...unsent, ...asks(unsentEvent, 'Give up') },
  { name: 'console-audit', path: '/console/messages/audit' },
]

/** Two who change the same product: the page's save comes second. */
async function editAtOnce(page) {
  const token = await adminToken(page)
  const sku = 'TEST-CONFLICT'
  await ask(page, 'mutation ($input: CreateProductInput!) { createProduct(input: $input) { userErrors { code } } }', {
    input: { name: 'Test Cola', sku, price: { amount: '1.20', currencyCode: 'EUR' } },
  }, token)
  const { products } = await ask(page, `{ products(first: 1, filter: { q: "${sku}" }) { edges { node { id price { amount } } } } }`)
  const { id, price } = products.edges[0].node
  await page.goto(`/console/products/${id}`)
  await page.getByLabel('Price').fill('1.50')
  const input = { id, price: { amount: price.amount === '1.20' ? '1.30' : '1.20', currencyCode: 'EUR' } }
  await ask(page, 'mutation ($input: UpdateProductInput!) { updateProduct(input: $input) { userErrors { code } } }', { input }, token)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: 'Put mine on top' }).waitFor()
}
