// Who asked their system for less motion gets none; everybody else gets some.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fillCart } from '../shopper.js'
import { openShop, visitor } from './shop.js'

let shop
before(async () => (shop = await openShop()))
after(() => shop?.close())

/** Longer than this is seen as motion. */
const SEEN_MS = 1

/** The longest transition or animation that any element of the page may run. */
function longestMotionMs() {
  const ms = (text) => Math.max(...text.split(',').map((time) => parseFloat(time) * (time.trim().endsWith('ms') ? 1 : 1000)))
  const styles = [...document.querySelectorAll('*')].flatMap((element) =>
    ['', '::before', '::after'].map((part) => getComputedStyle(element, part)),
  )
  return Math.max(...styles.flatMap((style) => [ms(style.transitionDuration), style.animationName === 'none' ? 0 : ms(style.animationDuration)]))
}

for (const motion of ['reduce', 'no-preference']) {
  test(`prefers-reduced-motion: ${motion}`, async () => {
    const { page, complaints, leave } = await visitor(shop, { motion })
    const seen = []
    await page.goto('/', { waitUntil: 'networkidle' })
    seen.push(await page.evaluate(longestMotionMs))
    await page.getByRole('main').locator('article').first().hover()
    await fillCart(page)
    await page.goto('/products', { waitUntil: 'networkidle' })
    seen.push(await page.evaluate(longestMotionMs))
    await page.getByRole('button', { name: 'Cart, 1 item' }).click()
    await page.getByRole('dialog').getByRole('link', { name: 'Check out' }).waitFor()
    seen.push(await page.evaluate(longestMotionMs))
    const isStill = (longest) => longest <= SEEN_MS
    if (motion === 'reduce') assert.ok(seen.every(isStill), `${seen} ms`)
    else assert.ok(!seen.some(isStill), `${seen} ms`)
    assert.deepEqual(complaints, [])
    await leave()
  })
}
