// Pictures of every page, for a designer's eye: each route, light and dark, on a desktop and on a phone. The console's
// are made with the demo's operator login.
//
//   SHOP=http://127.0.0.1:8080 npm run screenshots [part of a name…]
//
// SHOP is any running shop, or `npm run preview` in front of one. They lie in screenshots/, which git ignores.
// It also fails on what a visitor never sees: errors in the console, breaches of the content security policy,
// requests that leave the origin, and pages wider than the screen.
import { mkdirSync } from 'node:fs'
import { argv, env, exit } from 'node:process'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { logInAsOperator } from './browser/operator.js'
import { consoleRoutes } from './consoleRoutes.js'
import { routes } from './routes.js'

const shop = env.SHOP ?? 'http://127.0.0.1:8080'
const folder = fileURLToPath(new URL('../screenshots', import.meta.url))
const wanted = argv.slice(2)
const isWanted = ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part))

const DEVICES = {
  desktop: { viewport: { width: 1360, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
}

async function photograph(browser, device, theme, complaints) {
  const context = await browser.newContext({
    ...DEVICES[device],
    baseURL: shop,
    colorScheme: theme,
    reducedMotion: 'reduce',
    locale: 'en-GB',
  })
  context.setDefaultTimeout(60_000)
  context.on('console', (message) => message.type() === 'error' && complaints.push(message.text().slice(0, 300)))
  context.on('weberror', (error) => complaints.push(error.error().message))
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (!['data:', 'blob:'].includes(protocol) && origin !== shop) complaints.push(`asked for ${request.url()}`)
  })
  // A page of its own for each: what one has entered, or cut off, is nothing to the next.
  const inNewPage = async (look) => {
    const page = await context.newPage()
    await look(page)
    await page.close()
  }
  const behindTheCounter = consoleRoutes.filter(isWanted)
  for (const route of routes.filter(isWanted)) await inNewPage((page) => photographPage(page, device, theme, route, complaints))
  if (behindTheCounter.length > 0) await inNewPage((page) => logInAsOperator(page))
  for (const route of behindTheCounter) await inNewPage((page) => photographPage(page, device, theme, route, complaints))
  await context.close()
}

const isThere = (wanted) => wanted.first().waitFor({ timeout: 10_000 }).then(
  () => true,
  () => false,
)

async function photographPage(page, device, theme, { name, path, needs, prepare }, complaints) {
  await page.goto(path, { waitUntil: 'networkidle' })
  if (needs && !(await isThere(needs(page)))) return console.error(`${name}: nothing here to be shown`)
  await prepare?.(page)
  // Pictures load when they come into view; a full page shows them all.
  await page.evaluate(() => document.querySelectorAll('img').forEach((image) => (image.loading = 'eager')))
  await page.waitForLoadState('networkidle')
  const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
  if (isTooWide) complaints.push(`${name} is wider than a ${device}`)
  await page.screenshot({ path: `${folder}/${name}-${device}-${theme}.png`, fullPage: true })
}

mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({
  executablePath: env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'],
})
const complaints = []
for (const device of Object.keys(DEVICES)) {
  for (const theme of ['light', 'dark']) await photograph(browser, device, theme, complaints)
}
await browser.close()
for (const complaint of new Set(complaints)) console.error(complaint)
exit(complaints.length > 0 ? 1 : 0)
