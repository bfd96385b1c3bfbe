// From the first look at a product to an order that is decided, and what happens where it goes wrong.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { adminToken, anyProduct, ask, beginCheckout, buy, enterDetails } from '../shopper.js'
import { ALL_LOOKS, LOOKS, openShop, visitor } from './shop.js'

let shop
before(async () => (shop = await openShop()))
after(() => shop?.close())

const cartButton = (page, count) => page.getByRole('button', { name: `Cart, ${count}` })
const order = (page) => page.getByRole('button', { name: /^Order and pay/ }).click()
const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor()

for (const look of ALL_LOOKS) {
  test(`on a ${look.device}, ${look.theme}: browse, search, register, buy, and watch it being confirmed`, async () => {
    const { page, complaints, leave } = await visitor(shop, look)
    await page.goto('/')
    await page.getByRole('combobox').fill('kabinett')
    await page.keyboard.press('Enter')
    await page.getByRole('main').getByRole('link', { name: /Kabinett/ }).first().click()
    await page.getByRole('button', { name: 'Add to cart' }).first().click()
    await page.getByRole('dialog', { name: 'Your cart' }).getByRole('link', { name: 'Check out' }).click()
    await page.getByRole('link', { name: 'Open an account' }).click()
    await heading(page, 'Open an account')
    const name = `ada-${randomUUID()}`
    await page.getByLabel('E-mail').fill(`${name}@prost.example`)
    await page.getByLabel('Name').fill(name)
    await page.getByLabel('Password').fill('correct-horse')
    await page.getByRole('button', { name: 'Open an account' }).click()
    await heading(page, 'Where does it go?')
    await enterDetails(page)
    await order(page)
    await heading(page, 'It is yours')
    await page.getByText('Payments · after').waitFor()
    await cartButton(page, 'empty').waitFor()
    await page.goto('/orders')
    await page.getByRole('listitem').filter({ hasText: 'Kabinett' }).getByText('Confirmed').filter({ visible: true }).first().waitFor()
    assert.deepEqual(complaints, [])
    await leave()
  })
}

test('the step stands in the URL, and takes the focus along', async () => {
  const { page, leave } = await visitor(shop)
  await page.goto('/')
  await beginCheckout(page)
  await page.goto('/checkout/review')
  await page.waitForURL('**/checkout/address')
  await enterDetails(page)
  const focused = () => page.evaluate(() => globalThis.document.activeElement.textContent)
  assert.equal(await focused(), 'All as you want it?')
  await page.goBack()
  await page.waitForURL('**/checkout/payment')
  await page.reload()
  await heading(page, 'How would you like to pay?')
  await leave()
})

test('errors stand beside their field, and the first one gets the focus', async () => {
  const { page, leave } = await visitor(shop)
  await page.goto('/')
  await beginCheckout(page)
  await page.getByRole('button', { name: 'On to the payment' }).click()
  const name = page.getByLabel('Full name')
  await page.getByText('Who is it for?').waitFor()
  assert.equal(await name.getAttribute('aria-invalid'), 'true')
  assert.equal(await name.evaluate((element) => element === globalThis.document.activeElement), true)
  await enterDetails(page)
  await leave()
})

for (const look of ALL_LOOKS) {
  test(`on a ${look.device}, ${look.theme}: a declined payment gives the cart back, and says what to do`, async () => {
    const { page, complaints, leave } = await visitor(shop, look)
    await page.goto('/')
    await buy(page, 'Visa, ending in 0002', 'The bank declined the payment')
    await cartButton(page, '1 item').waitFor()
    await page.getByText('Cart is back', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Pay another way' }).click()
    await page.getByRole('radio', { name: 'Visa, ending in 4242' }).click()
    await page.getByRole('button', { name: 'On to the review' }).click()
    await order(page)
    await heading(page, 'It is yours')
    assert.deepEqual(complaints, [])
    await leave()
  })
}

for (const look of ALL_LOOKS) {
  test(`on a ${look.device}, ${look.theme}: what was sold out meanwhile is not sold, and the cart says so`, async () => {
    const { page, leave } = await visitor(shop, look)
    await page.goto('/')
    const [product, admin] = [await anyProduct(page), await adminToken(page)]
    await beginCheckout(page, { product })
    await enterDetails(page)
    const setStock = (setTo) =>
      ask(
        page,
        'mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { product { id } } }',
        { input: { productId: product.id, setTo, reason: 'Test: sold elsewhere' } },
        admin,
      )
    await setStock(0)
    await order(page)
    await heading(page, 'Somebody was faster')
    await page.getByRole('link', { name: 'To the cart' }).click()
    await page.getByText('Sold out by now.').waitFor()
    await setStock(product.stockQuantity)
    await leave()
  })
}

describe('a lost connection', () => {
  /** How many orders the customer has. */
  async function orders(page, token) {
    const answer = await ask(page, '{ orders(first: 10) { edges { node { id } } } }', {}, token)
    return answer.orders.edges.length
  }

  const isCheckout = (request) => request.postData()?.includes('mutation Checkout') ?? false

  for (const look of LOOKS) {
    test(`that loses the answer to an order does not order twice, on a ${look.device}, ${look.theme}`, async () => {
      const { page, leave } = await visitor(shop, look)
      await page.goto('/')
      const token = await beginCheckout(page)
      await enterDetails(page)
      // The order arrives; its answer does not.
      let isFirst = true
      await page.route('**/graphql', async (route) => {
        if (!isCheckout(route.request()) || !isFirst) return route.continue()
        isFirst = false
        await route.fetch()
        await route.abort()
      })
      await order(page)
      await page.getByRole('alert').filter({ hasText: 'The answer to your order got lost' }).waitFor()
      await page.getByRole('button', { name: 'Ask again' }).click()
      await heading(page, 'It is yours')
      assert.equal(await orders(page, token), 1)
      await leave()
    })
  }

  test('that is followed by a reload does not order twice', async () => {
    const { page, leave } = await visitor(shop)
    await page.goto('/')
    const token = await beginCheckout(page)
    await enterDetails(page)
    const drop = async (route) => {
      if (!isCheckout(route.request())) return route.continue()
      await route.fetch()
      await route.abort()
    }
    await page.route('**/graphql', drop)
    await order(page)
    await page.getByRole('button', { name: 'Ask again' }).waitFor()
    await page.unroute('**/graphql', drop)
    await page.reload()
    await heading(page, 'It is yours')
    assert.equal(await orders(page, token), 1)
    await leave()
  })

  test('before the order is made up for when it is back', async () => {
    const { page, context, leave } = await visitor(shop)
    await page.goto('/')
    const token = await beginCheckout(page)
    await enterDetails(page)
    await context.setOffline(true)
    await order(page)
    await page.getByRole('button', { name: 'Ask again' }).waitFor()
    await context.setOffline(false)
    await heading(page, 'It is yours')
    assert.equal(await orders(page, token), 1)
    await leave()
  })
})
