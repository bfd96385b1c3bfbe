// The pictures in the project's README: the home page, an order's life, and the same order as its operator sees it.
//
//   SHOP=http://127.0.0.1:8080 npm run pictures      → docs/pictures/*.webp
import { Buffer } from 'node:buffer'
import { mkdirSync, writeFileSync } from 'node:fs'
import { env } from 'node:process'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { logInAsOperator } from './browser/operator.js'
import { consoleRoutes } from './consoleRoutes.js'
import { buy } from './shopper.js'

const shop = env.SHOP ?? 'http://127.0.0.1:8080'
const folder = fileURLToPath(new URL('../../../docs/pictures', import.meta.url))
const browser = await chromium.launch({
  executablePath: env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'],
})

const PICTURES = {
  home: (page) => page.goto('/'),
  async order(page) {
    await page.goto('/login')
    await buy(page)
  },
  async timeline(page) {
    await page.goto('/login')
    await logInAsOperator(page)
    const { path, prepare } = consoleRoutes.find(({ name }) => name === 'console-order')
    await page.goto(path, { waitUntil: 'networkidle' })
    await prepare(page)
    await page.getByRole('option').first().waitFor()
  },
}

/** Playwright writes no WebP, but a browser does. */
async function toWebp(png) {
  const page = await browser.newPage()
  const base64 = await page.evaluate(async (source) => {
    const image = new globalThis.Image()
    image.src = source
    await image.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height })
    canvas.getContext('2d').drawImage(image, 0, 0)
    return canvas.toDataURL('image/webp', 0.9).split(',')[1]
  }, `data:image/png;base64,${png.toString('base64')}`)
  await page.close()
  return Buffer.from(base64, 'base64')
}

mkdirSync(folder, { recursive: true })
try {
  for (const [name, prepare] of Object.entries(PICTURES)) {
    const options = { baseURL: shop, locale: 'en-GB', colorScheme: 'light', reducedMotion: 'reduce' }
    const page = await browser.newPage({ ...options, viewport: { width: 1280, height: 800 } })
    await prepare(page)
    await page.waitForLoadState('networkidle')
    writeFileSync(`${folder}/${name}.webp`, await toWebp(await page.screenshot()))
    await page.close()
  }
} finally {
  await browser.close()
}
