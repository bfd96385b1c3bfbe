// Every page of the console, on a desktop and a phone, light and dark: no violation that axe knows, no breach of the
// policy, nothing wider than the screen. And what an operator does most, on each of them.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { consoleRoutes } from '../consoleRoutes.js'
import { buy } from '../shopper.js'
import { assertAccessible } from './accessible.js'
import { createProduct, followOrder, replayDeadLetter } from './consoleJourneys.js'
import { caller, logInAsOperator, placeOrder, poison, stick, unsend } from './operator.js'
import { DEVICES, openShop, visitor } from './shop.js'

let shop, order, poisoned
before(async () => {
  shop = await openShop()
  const customer = await caller(shop, 'demo@prost.example', 'demo-password')
  await unsend(shop, await placeOrder(customer))
  await stick(shop, await placeOrder(customer, 'pm_card_chargeDeclined'))
  order = await orderInBrowser()
  poisoned = await poison(await caller(shop, 'admin@prost.example', 'admin-password'))
})
after(() => shop?.close())

/** An order of somebody who clicked: its id, and the trace that the browser began. */
async function orderInBrowser() {
  const { page, leave } = await visitor(shop)
  let trace
  page.on('request', (request) => {
    if (request.postData()?.includes('mutation Checkout')) trace = request.headers().traceparent.split('-')[1]
  })
  await page.goto('/')
  await buy(page)
  const id = new URL(page.url()).pathname.split('/').at(-1)
  await leave()
  return { id, trace }
}

for (const device of Object.keys(DEVICES)) {
  for (const theme of ['light', 'dark']) {
    describe(`on a ${device}, ${theme}`, () => {
      let visit
      before(async () => {
        visit = await visitor(shop, { device, theme })
        await logInAsOperator(visit.page)
      })
      after(() => visit?.leave())

      const isDue = ({ isState }) => !isState || (device === 'phone') === (theme === 'dark')
      for (const { name, path, prepare } of consoleRoutes.filter(isDue)) {
        test(`${name} is accessible`, async () => {
          const { page, complaints } = visit
          complaints.length = 0
          await page.goto(path, { waitUntil: 'networkidle' })
          await prepare?.(page)
          await assertAccessible(page)
          assert.deepEqual(complaints, [])
        })
      }

      test('a product is created', () => createProduct(visit.page, `${device}-${theme}`))
      test('an order is followed', () => followOrder(visit.page, order))
      test('a dead letter is replayed', () => replayDeadLetter(visit.page, poisoned.eventId))
    })
  }
}
