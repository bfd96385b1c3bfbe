// Every page, on a desktop and a phone, light and dark: no violation that axe knows, no breach of the policy, nothing
// wider than the screen.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import { routes } from '../routes.js'
import { ALL_LOOKS, LOOKS, openShop, visitor } from './shop.js'

const FIRST_VISIT_BYTES = 150_000

let shop, axe
before(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  shop = await openShop()
})
after(() => shop?.close())

for (const look of ALL_LOOKS) {
  const isEnough = LOOKS.some(({ device, theme }) => device === look.device && theme === look.theme)
  describe(`on a ${look.device}, ${look.theme}`, () => {
    for (const { name, path, prepare } of routes.filter(({ isRare }) => isEnough || !isRare)) {
      test(`${name} is accessible`, async () => {
        const { page, complaints, leave } = await visitor(shop, look)
        await page.goto(path, { waitUntil: 'networkidle' })
        await prepare?.(page)
        // By the debugger's protocol, which the content security policy does not concern.
        await page.evaluate(axe)
        const { violations } = await page.evaluate(() => globalThis.axe.run())
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join('\n')}`)
        const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
        await leave()
        assert.deepEqual(found, [])
        assert.deepEqual(complaints, [])
        assert.equal(isTooWide, false, 'wider than the screen')
      })
    }
  })
}

test('a first visit to the shop takes less than 150 kB of compressed JavaScript', async () => {
  const { page, leave } = await visitor(shop)
  const scripts = []
  page.on('response', (response) => response.url().endsWith('.js') && scripts.push(response.body()))
  await page.goto('/', { waitUntil: 'networkidle' })
  page.removeAllListeners('response')
  const bytes = (await Promise.all(scripts)).reduce((sum, body) => sum + brotliCompressSync(body).length, 0)
  await leave()
  assert.ok(bytes > 0 && bytes < FIRST_VISIT_BYTES, `${bytes} bytes`)
})
