// Finding something, looking at it, and putting it into the basket.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DEVICES, openShop, visitor } from './shop.js'

let shop
before(async () => (shop = await openShop()))
after(() => shop?.close())

/** In the page: every product that is listed costs so much at most, and there are some. */
function areAllUpTo(most) {
  const prices = [...document.querySelectorAll('main article')].map((card) => Number(/€([\d.]+)/.exec(card.textContent)[1]))
  return prices.length > 0 && prices.every((price) => price <= most)
}

for (const device of Object.keys(DEVICES)) {
  describe(`on a ${device}`, () => {
    test('a search suggests while it is typed, and the keyboard chooses', async () => {
      const { page, complaints, leave } = await visitor(shop, { device })
      await page.goto('/', { waitUntil: 'networkidle' })
      const field = page.getByRole('combobox')
      await field.pressSequentially('reisling kab')
      const option = page.getByRole('option', { name: /Riesling Kabinett/ })
      await option.waitFor()
      await field.press('ArrowDown')
      assert.equal(await page.getByRole('option', { selected: true }).count(), 1)
      await field.press('Escape')
      assert.equal(await field.getAttribute('aria-expanded'), 'false')
      await field.press('ArrowDown')
      await field.press('Enter')
      await page.getByRole('heading', { level: 1, name: /Riesling Kabinett/ }).waitFor()
      assert.match(page.url(), /\/products\/[0-9a-f-]{36}$/)
      assert.deepEqual(complaints, [])
      await leave()
    })

    test('the list is narrowed by its facets, and the address keeps it', async () => {
      const { page, leave } = await visitor(shop, { device })
      await page.goto('/products', { waitUntil: 'networkidle' })
      const departments = page.getByRole('navigation', { name: 'Department', exact: true })
      const wine = departments.getByRole('link', { name: /^Wine/ })
      const count = Number((await wine.textContent()).match(/\d+/)[0])
      await wine.click()
      await page.getByText(`${count} products`).waitFor()
      assert.equal(await page.title(), 'Wine · Prost')
      await page.getByRole('textbox', { name: 'To' }).fill('15')
      await page.getByRole('textbox', { name: 'To' }).press('Tab')
      await page.waitForURL(/max=15/)
      await page.waitForFunction(areAllUpTo, 15)
      const cheap = await page.getByText(/^\d+ products?$/).innerText()
      assert.ok(parseInt(cheap, 10) < count, `${cheap} of ${count}`)
      assert.equal(await page.getByRole('main').getByRole('article').count(), Math.min(parseInt(cheap, 10), 24))
      assert.equal(await page.title(), 'Wine · Prost')
      await page.reload({ waitUntil: 'networkidle' })
      await page.getByText(cheap, { exact: true }).waitFor()
      await page.waitForFunction(areAllUpTo, 15)
      await page.getByRole('button', { name: /^Remove: up to/ }).click()
      await page.getByText(`${count} products`).waitFor()
      assert.doesNotMatch(page.url(), /max=/)
      await leave()
    })

    test('a product shows all its pictures by keyboard, tells machines what it is, and goes into the basket', async () => {
      const { page, complaints, leave } = await visitor(shop, { device })
      await page.goto('/products?q=kabinett', { waitUntil: 'networkidle' })
      await page.getByRole('link', { name: /Kabinett/ }).first().click()
      const picture = page.getByRole('img', { name: /picture 1 of 3/ })
      await picture.waitFor()
      await page.getByRole('button', { name: 'Next picture' }).focus()
      await page.keyboard.press('ArrowLeft')
      await page.getByRole('img', { name: /picture 3 of 3/ }).waitFor()

      const described = JSON.parse(await page.locator('script[type="application/ld+json"]').textContent())
      assert.equal(described['@type'], 'Product')
      assert.match(described.offers.price, /^\d+\.\d\d$/)

      await page.getByRole('spinbutton', { name: 'Quantity' }).press('ArrowUp')
      await page.getByRole('button', { name: 'Add to cart' }).first().click()
      await page.getByText(/In your cart: 2 ×/).waitFor()
      assert.deepEqual(complaints, [])
      await leave()
    })
  })
}

test('the list is turned, sorted, and narrowed to what is in stock', async () => {
  const { page, leave } = await visitor(shop)
  const names = () => page.getByRole('main').getByRole('heading', { level: 3 }).allTextContents()
  const sorted = (list) => [...list].sort((a, b) => a.localeCompare(b, 'en'))
  const shows = async (count) => page.waitForFunction((n) => document.querySelectorAll('main article').length === n, count)
  await page.goto('/products?sort=name', { waitUntil: 'networkidle' })
  await shows(24)
  const first = await names()
  assert.deepEqual(first, sorted(first))
  await page.getByRole('link', { name: 'Next page' }).click()
  await page.waitForURL(/after=/)
  await page.getByRole('heading', { level: 3, name: first[0], exact: true }).waitFor({ state: 'detached' })
  const second = await names()
  assert.equal(second.filter((name) => first.includes(name)).length, 0)
  assert.equal(await page.evaluate(() => window.scrollY), 0, 'another page is read from its beginning')

  // The way back is known over a reload; who comes by a link has none.
  await page.reload()
  await page.getByRole('link', { name: 'Previous page' }).click()
  await page.getByRole('heading', { level: 3, name: first[0], exact: true }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Previous page' }).count(), 0)
  await page.goBack()
  await page.getByRole('heading', { level: 3, name: second[0], exact: true }).waitFor()
  await page.goto(page.url().replace('/products?', '/products?utm=link&'))
  await page.getByRole('link', { name: 'Back to the start' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Previous page' }).count(), 0)
  await page.getByRole('link', { name: 'Back to the start' }).click()
  await page.getByRole('heading', { level: 3, name: first[0], exact: true }).waitFor()

  await page.getByRole('combobox', { name: 'Sort' }).selectOption('PRICE_ASC')
  await page.waitForURL(/sort=price_asc/)
  await page.waitForFunction(() => {
    const cards = [...document.querySelectorAll('main article')]
    const prices = cards.map((card) => Number(/€([\d.]+)/.exec(card.textContent)[1]))
    return prices.length === 24 && prices.every((price, index) => index === 0 || prices[index - 1] <= price)
  })

  const inStock = page.getByRole('checkbox', { name: /^In stock/ })
  const [, count] = /(\d+)/.exec(await inStock.evaluate((box) => box.labels[0].textContent))
  await inStock.click()
  await page.waitForURL(/stock=in/)
  await page.getByText(`${count} products`).waitFor()
  await leave()
})

test('the pictures of the home page are pictures', async () => {
  const { page, leave } = await visitor(shop)
  await page.goto('/', { waitUntil: 'networkidle' })
  await page.getByRole('heading', { level: 2 }).first().waitFor()
  await page.evaluate(() => document.querySelectorAll('img').forEach((image) => (image.loading = 'eager')))
  const shown = async () => page.evaluate(() => [...document.images].map(({ src, naturalWidth }) => ({ src, naturalWidth })))
  await page.waitForFunction(() => [...document.images].every(({ complete }) => complete))
  const images = await shown()
  assert.ok(images.length > 10, `${images.length} pictures`)
  assert.deepEqual(images.filter(({ naturalWidth }) => naturalWidth === 0), [])
  await leave()
})

test('on a phone the basket stays within reach', async () => {
  const { page, leave } = await visitor(shop, { device: 'phone' })
  await page.goto('/products?q=kabinett', { waitUntil: 'networkidle' })
  await page.getByRole('link', { name: /Kabinett/ }).first().click()
  await page.getByRole('button', { name: 'Add to cart' }).waitFor()
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight))
  const reachable = page.locator('form .fixed').getByRole('button', { name: 'Add to cart' })
  await reachable.click()
  await page.evaluate(() => window.scrollTo(0, 0))
  await page.getByText(/In your cart: 1 ×/).waitFor()
  await leave()
})

test('an address that leads nowhere says so', async () => {
  const { page, leave } = await visitor(shop)
  await page.goto('/products/01a1f86a-0000-7000-8000-000000000000', { waitUntil: 'networkidle' })
  await page.getByRole('heading', { level: 1, name: 'This one is gone' }).waitFor()
  assert.equal(await page.title(), 'This one is gone · Prost')
  await leave()
})
