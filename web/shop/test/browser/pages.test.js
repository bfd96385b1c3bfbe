// Every page, on a desktop and a phone, light and dark: no violation that axe knows, no breach of the policy, nothing
// wider than the screen. What a first visit fetches, and what Lighthouse says of it, as far as that does not depend on what
// else the machine does: `npm run lighthouse` measures the speed, too. And how much moves.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { launch } from 'chrome-launcher'
import lighthouse from 'lighthouse'
import { CHROME, DEVICES, LEAST, firstPages } from '../lighthouse/judge.js'
import { routes } from '../routes.js'
import { buy, fillCart } from '../shopper.js'
import { assertAccessible } from './accessible.js'
import { logInAsOperator } from './operator.js'
import { ALL_LOOKS, LOOKS, openShop, visitor } from './shop.js'

const FIRST_VISIT_BYTES = 150_000
const CATALOGUE = /\/catalog-[^/]+\.js$/

const JUDGED = ['accessibility', 'best-practices', 'seo']

/** Of everything that a first visit fetches, compressed: twice as much is a second more on a phone. */
const MOST_BYTES = 400_000
const MOST_REQUESTS = 45

let shop
before(async () => {
  shop = await openShop()
})
after(() => shop?.close())

for (const look of ALL_LOOKS) {
  const isEnough = LOOKS.some(({ device, theme }) => device === look.device && theme === look.theme)
  // Two at once: each waits until its page is quiet, and has a visitor of its own.
  describe(`on a ${look.device}, ${look.theme}`, { concurrency: 2 }, () => {
    for (const { name, path, prepare } of routes.filter(({ isRare }) => isEnough || !isRare)) {
      test(`${name} is accessible`, async () => {
        const { page, complaints, leave } = await visitor(shop, look)
        await page.goto(path, { waitUntil: 'networkidle' })
        await prepare?.(page)
        await assertAccessible(page)
        await leave()
        assert.deepEqual(complaints, [])
      })
    }
  })
}

/** The scripts that a visit fetches, by their names: those of its page, and the catalogue, which follows. */
async function scriptsOf(path, locale) {
  const { page, leave } = await visitor(shop, { locale })
  const bodies = new Map()
  page.on('response', (response) => response.url().endsWith('.js') && bodies.set(response.url(), response.body()))
  const catalogue = page.waitForResponse((response) => CATALOGUE.test(response.url()))
  await page.goto(path, { waitUntil: 'networkidle' })
  // It is complete with all that it imports.
  await page.evaluate((url) => import(url), (await catalogue).url())
  page.removeAllListeners('response')
  const scripts = await Promise.all([...bodies].map(async ([url, body]) => ({ url, body: await body })))
  await leave()
  return scripts
}

const compressed = (scripts, compress) => scripts.reduce((sum, { body }) => sum + compress(body).length, 0)

for (const locale of ['en-GB', 'de-DE']) {
  for (const name of ['home', 'products', 'product']) {
    test(`a first visit, ${name}, ${locale}, takes less than 150 kB of compressed JavaScript`, async () => {
      const scripts = await scriptsOf((await firstPages(shop.origin))[name], locale)
      const all = compressed(scripts, brotliCompressSync)
      assert.ok(all > 0 && all < FIRST_VISIT_BYTES, `${all} bytes with all that follows, in Brotli`)
      const early = compressed(scripts.filter(({ url }) => !CATALOGUE.test(url)), gzipSync)
      assert.ok(early < FIRST_VISIT_BYTES, `${early} bytes without the catalogue, in gzip`)
    })
  }
}

describe('Lighthouse', () => {
  let chrome
  before(async () => (chrome = await launch(CHROME)))
  after(() => chrome?.kill())

  for (const name of ['home', 'products', 'product']) {
    test(`${name}, as Lighthouse sees it on a phone`, async () => {
      const url = shop.origin + (await firstPages(shop.origin))[name]
      const flags = { port: chrome.port, logLevel: 'error', throttlingMethod: 'provided', maxWaitForLoad: 60_000 }
      const audits = { onlyCategories: JUDGED, onlyAudits: ['network-requests'] }
      const { lhr } = await lighthouse(url, { ...flags, ...audits }, DEVICES.phone)
      assert.equal(lhr.runtimeError, undefined)
      const faults = JUDGED.filter((category) => lhr.categories[category].score < LEAST[category])
      assert.deepEqual(faults, [], JSON.stringify(Object.values(lhr.audits).filter(({ score }) => score === 0).map(({ id }) => id)))

      const requests = lhr.audits['network-requests'].details.items
      assert.deepEqual(requests.filter((request) => !request.url.startsWith(shop.origin) && !request.url.startsWith('data:')), [])
      const bytes = requests.reduce((sum, { transferSize }) => sum + transferSize, 0)
      assert.ok(bytes > 0 && bytes < MOST_BYTES, `${bytes} bytes`)
      assert.ok(requests.length < MOST_REQUESTS, `${requests.length} requests`)
      // What is text comes compressed, what the shop answers as well as what was built.
      const answers = requests.filter(({ url, resourceSize }) => url.endsWith('/graphql') && resourceSize > 2_000)
      assert.ok(answers.length > 0)
      for (const { resourceSize, transferSize } of answers) assert.ok(transferSize < resourceSize, `${transferSize} bytes`)
    })
  }
})

/** What a visitor feels as jumping, says Google: the Cumulative Layout Shift. */
const MOST_SHIFT = 0.1

/** Sums up, in a page, what moves by itself; what the visitor sets in motion does not count. */
function watchShifts() {
  globalThis.shifts = []
  const note = (shift) => {
    const moved = shift.sources.map(({ node }) => node?.outerHTML?.slice(0, 120) ?? node?.nodeName)
    if (!shift.hadRecentInput) globalThis.shifts.push({ value: shift.value, moved })
  }
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: 'layout-shift', buffered: true })
}

/** All of it up to the second frame from now, which shows what has been rendered by now. */
const shiftsOf = (page) =>
  page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(resolve))
    return globalThis.shifts
  })

const sumOf = (shifts) => shifts.reduce((sum, { value }) => sum + value, 0)

async function assertStill(page) {
  const shifts = await shiftsOf(page)
  assert.ok(sumOf(shifts) < MOST_SHIFT, JSON.stringify(shifts))
}

for (const look of LOOKS) {
  describe(`nothing jumps on a ${look.device}`, () => {
    /** A visitor whose pages tell what moves. */
    async function watched() {
      const visit = await visitor(shop, look)
      await visit.page.addInitScript(watchShifts)
      return visit
    }

    for (const name of ['home', 'products', 'product']) {
      test(name, async () => {
        const { page, leave } = await watched()
        await page.goto((await firstPages(shop.origin))[name], { waitUntil: 'networkidle' })
        await page.getByRole('contentinfo').getByRole('link').first().waitFor()
        await assertStill(page)
        await leave()
      })
    }

    test('order, while it lives and when it is loaded again', async () => {
      const { page, leave } = await watched()
      await page.goto('/login')
      await buy(page, 'A slow bank')
      await assertStill(page)
      await page.reload({ waitUntil: 'networkidle' })
      await page.getByRole('heading', { level: 1, name: 'It is yours' }).waitFor()
      await assertStill(page)
      await leave()
    })
  })
}

test('what jumps is seen', async () => {
  const { page, leave } = await visitor(shop)
  await page.addInitScript(watchShifts)
  await page.goto('/products', { waitUntil: 'networkidle' })
  await page.evaluate(() => {
    document.querySelector('main').style.paddingTop = '40vh'
  })
  // Told by the browser once it has drawn it, which on a busy machine takes its time.
  await page.waitForFunction(
    (most) => globalThis.shifts.reduce((sum, { value }) => sum + value, 0) > most,
    MOST_SHIFT,
  )
  await leave()
})

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
    await page.keyboard.press('Escape')
    await buy(page)
    seen.push(await page.evaluate(longestMotionMs))
    await page.context().clearCookies()
    await logInAsOperator(page)
    await page.getByRole('link', { name: /^Stuck orders/ }).waitFor()
    seen.push(await page.evaluate(longestMotionMs))
    const isStill = (longest) => longest <= SEEN_MS
    if (motion === 'reduce') assert.ok(seen.every(isStill), `${seen} ms`)
    else assert.ok(!seen.some(isStill), `${seen} ms`)
    assert.deepEqual(complaints, [])
    await leave()
  })
}
