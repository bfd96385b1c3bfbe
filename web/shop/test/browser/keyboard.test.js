// The shop without a pointer: every stop of the Tab key shows where it is, dialogs hold the focus and give it back.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ADDRESS, anyProduct, becomeCustomer, fillCart } from '../shopper.js'
import { focusIsOn, tabTo } from './keys.js'
import { LOOKS, openShop, visitor } from './shop.js'

let shop
before(async () => (shop = await openShop()))
after(() => shop?.close())

const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor()

for (const look of LOOKS) {
  test(`on a ${look.device}, ${look.theme}: who has only a keyboard buys`, async () => {
    const { page, complaints, leave } = await visitor(shop, look)
    await page.goto('/')
    await becomeCustomer(page)
    await page.reload()
    await page.getByRole('button', { name: 'Account', exact: true }).waitFor()
    const press = (key) => page.keyboard.press(key)
    const enter = async (locator) => {
      await tabTo(page, locator)
      await press('Enter')
    }

    await tabTo(page, page.getByRole('link', { name: 'Skip to content' }))
    await tabTo(page, page.getByRole('combobox'))
    await page.keyboard.type('kabinett')
    await page.getByRole('option').first().waitFor()
    await press('ArrowDown')
    await press('Enter')
    await heading(page, /Kabinett/)
    await tabTo(page, page.getByRole('spinbutton', { name: 'Quantity' }))
    await press('ArrowUp')
    await enter(page.getByRole('button', { name: 'Add to cart' }).first())
    const checkout = page.getByRole('dialog').getByRole('link', { name: 'Check out' })
    await checkout.waitFor()
    await enter(checkout)

    await heading(page, 'Where does it go?')
    for (const [label, text] of [
      ['Full name', ADDRESS.fullName],
      ['Street and number', ADDRESS.line1],
      ['Postcode', ADDRESS.postalCode],
      ['Town', ADDRESS.city],
    ]) {
      await tabTo(page, page.getByLabel(label))
      await page.keyboard.type(text)
    }
    await enter(page.getByRole('button', { name: 'On to the payment' }))
    await heading(page, 'How would you like to pay?')
    const visa = (checked) => page.getByRole('radio', { name: 'Visa, ending in 4242', checked })
    await tabTo(page, visa(true))
    // As a finger does: a key is held until something has happened.
    for (const [key, isChosen] of [['ArrowDown', false], ['ArrowUp', true]]) {
      await page.keyboard.down(key)
      await visa(isChosen).waitFor()
      await page.keyboard.up(key)
    }
    await enter(page.getByRole('button', { name: 'On to the review' }))
    await heading(page, 'All as you want it?')
    await enter(page.getByRole('button', { name: /^Order and pay/ }))
    await heading(page, 'It is yours')
    assert.deepEqual(complaints, [])
    await leave()
  })
}

test('the cart holds the focus while it is open, and gives it back', async () => {
  const { page, leave } = await visitor(shop)
  await page.goto('/')
  await fillCart(page, { product: await anyProduct(page) })
  await page.reload()
  const cart = page.getByRole('button', { name: 'Cart, 1 item' })
  await tabTo(page, cart)
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Your cart' })
  await dialog.getByRole('link', { name: 'Check out' }).waitFor()
  const stops = new Set()
  for (let stop = 0; stop < 12; stop++) {
    await page.keyboard.press('Tab')
    stops.add(await page.evaluate(() => document.activeElement.outerHTML))
    assert.equal(await dialog.evaluate((element) => element.contains(document.activeElement)), true, [...stops].at(-1))
  }
  assert.ok(stops.size > 3, 'it goes round')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await focusIsOn(page, cart)
  await leave()
})

test('what was opened from a button closes back to it', async () => {
  const { page, leave } = await visitor(shop)
  await page.goto('/')
  await becomeCustomer(page)
  await page.goto('/account')
  const button = page.getByRole('button', { name: 'Delete account' })
  await button.waitFor()
  await tabTo(page, button)
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Password').waitFor()
  await page.keyboard.press('Shift+Tab')
  assert.equal(await dialog.evaluate((element) => element.contains(document.activeElement)), true)
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await focusIsOn(page, button)
  await leave()
})

test('arrow keys turn the pictures, in a circle', async () => {
  const { page, leave } = await visitor(shop)
  await page.goto('/products?q=kabinett', { waitUntil: 'networkidle' })
  await tabTo(page, page.getByRole('main').getByRole('link', { name: /Kabinett/ }).first())
  await page.keyboard.press('Enter')
  const shows = (n) => page.getByRole('img', { name: new RegExp(`picture ${n} of 3`) }).waitFor()
  await shows(1)
  await tabTo(page, page.getByRole('button', { name: 'Show picture 1' }))
  for (const [key, n] of [['ArrowRight', 2], ['ArrowRight', 3], ['ArrowRight', 1], ['ArrowLeft', 3]]) {
    await page.keyboard.press(key)
    await shows(n)
  }
  const isLeftAlone = await page.evaluate(() => {
    const back = { key: 'ArrowLeft', altKey: true, bubbles: true, cancelable: true }
    return document.activeElement.dispatchEvent(new globalThis.KeyboardEvent('keydown', back))
  })
  assert.ok(isLeftAlone, 'Alt and an arrow is the browser’s')
  await shows(3)
  await leave()
})
