// The order's page while the order lives: live, cut off, without live news at all; and cancelled.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { beginCheckout, buy, enterDetails } from '../shopper.js'
import { ALL_LOOKS, openShop, visitor } from './shop.js'

let shop
before(async () => (shop = await openShop()))
after(() => shop?.close())

const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor()

/** An order at a bank that takes its time, so that there is something to see. */
async function orderSlowly(page) {
  await beginCheckout(page)
  await enterDetails(page, 'A slow bank')
  await page.getByRole('button', { name: /^Order and pay/ }).click()
  await page.getByText('Asking the bank').waitFor()
  await page.getByText('Stock held').waitFor()
}

/** Lets the page read its order once; from then on nothing but live news tells it more, until it is released. */
async function holdReads(page) {
  let reads = 0
  let release
  const released = new Promise((resolve) => (release = resolve))
  await page.route('**/graphql', async (route) => {
    if (route.request().postDataJSON().operationName === 'Order' && ++reads > 1) await released
    await route.continue()
  })
  return async () => {
    release()
    await page.unrouteAll({ behavior: 'wait' })
  }
}

test('each step shows as it happens, by live news alone', async () => {
  const { page, complaints, leave } = await visitor(shop)
  const release = await holdReads(page)
  await page.goto('/')
  await orderSlowly(page)
  await heading(page, 'We are on it')
  await heading(page, 'It is yours')
  await release()
  await page.getByText('What happened, service by service').click()
  await page.getByText('The payment went through').waitFor()
  assert.deepEqual(complaints, [])
  await leave()
})

test('a lost live connection is said, and made up for', async () => {
  const { page, leave } = await visitor(shop)
  const sockets = []
  let isOpen = true
  await page.routeWebSocket('**/graphql', (socket) => {
    if (!isOpen) return socket.close({ code: 4900, reason: 'lost' })
    sockets.push(socket)
    socket.connectToServer()
  })
  const release = await holdReads(page)
  await page.goto('/')
  await orderSlowly(page)
  const opened = sockets.length
  isOpen = false
  await Promise.all(sockets.map((socket) => socket.close({ code: 4900, reason: 'lost' })))
  await page.getByText('The connection is lost.').waitFor()
  isOpen = true
  await heading(page, 'It is yours')
  assert.ok(sockets.length > opened, 'it has connected again')
  await release()
  assert.equal(await page.getByText('The connection is lost.').count(), 0)
  await leave()
})

test('without live news the page asks again and again', async () => {
  const { page, leave } = await visitor(shop)
  await page.routeWebSocket('**/graphql', (socket) => socket.close({ code: 4900, reason: 'blocked' }))
  await page.goto('/')
  await orderSlowly(page)
  await heading(page, 'It is yours')
  await leave()
})

test('a page that was offline catches up', async () => {
  const { page, context, leave } = await visitor(shop)
  await page.goto('/')
  await orderSlowly(page)
  await context.setOffline(true)
  await page.getByText('The connection is lost.').waitFor()
  await context.setOffline(false)
  await heading(page, 'It is yours')
  await leave()
})

for (const look of ALL_LOOKS) {
  test(`on a ${look.device}, ${look.theme}: an order can be cancelled until it is sent, and the money comes back`, async () => {
    const { page, complaints, leave } = await visitor(shop, look)
    await page.goto('/')
    await buy(page)
    await page.getByRole('button', { name: 'Cancel this order' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Keep the order' }).click()
    await page.getByRole('button', { name: 'Cancel this order' }).click()
    await page.getByLabel('Why, if you like to say').fill('Thirsty no more')
    await page.getByRole('button', { name: 'Cancel the order' }).click()
    await heading(page, 'It is cancelled')
    await page.getByText(/paid back on/).waitFor()
    await page.getByText('Back on the shelf', { exact: true }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Cancel this order' }).count(), 0)
    assert.deepEqual(complaints, [])
    await leave()
  })
}

test('orders of others do not exist', async () => {
  const { page, leave } = await visitor(shop)
  await page.goto('/')
  await buy(page)
  const theirs = page.url()
  await page.context().clearCookies()
  await page.goto('/login')
  await page.getByRole('button', { name: 'Enter as a customer' }).click()
  await page.getByRole('button', { name: 'Account', exact: true }).waitFor()
  await page.goto(theirs)
  await page.getByText('There is no such order in your account.').waitFor()
  await leave()
})
