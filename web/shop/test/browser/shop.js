// A shop of its own for the browser tests, and a Chromium to visit it.
//
//   PROST=path/to/prost CHROMIUM=path/to/chromium npm run test:browser
//
// With SHOP=http://… the tests visit that one instead, and leave it as it is when they end.
import { execFile } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'

const binary = env.PROST ?? fileURLToPath(new URL('../../../../target/debug/prost', import.meta.url))
const run = promisify(execFile)

const CHROMIUM = {
  executablePath: env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
}

export const DEVICES = {
  desktop: { viewport: { width: 1360, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
}

/** Whatever a page does, it does before this; longer than any of it takes on a machine with much else to do. */
const LONGEST_WAIT_MS = 60_000

/** Each device and each theme once: for what is told apart by one of them, and hardly by both together. */
export const LOOKS = [
  { device: 'desktop', theme: 'light' },
  { device: 'phone', theme: 'dark' },
]

/** Every device in every theme. */
export const ALL_LOOKS = Object.keys(DEVICES).flatMap((device) => ['light', 'dark'].map((theme) => ({ device, theme })))

/** Starts a shop with nothing in front of it; `prost('reset', '--yes')` deletes it again. */
export async function startProst() {
  const dataDir = join(env.SHOPS_DIR ?? tmpdir(), `shop-${randomUUID()}`)
  const prost = (...args) => run(binary, ['--data-dir', dataDir, ...args])
  const port = await freePorts(8)
  await prost('up', '--detach', '--port', String(port))
  return { prost, origin: `http://127.0.0.1:${port}` }
}

/** Opens a shop: its gateway serves the built application, a debug binary from where `npm run build` puts it. */
export async function openShop() {
  const { origin, prost } = env.SHOP ? { origin: env.SHOP } : await startProst()
  const reset = () => prost?.('reset', '--yes')
  try {
    const browser = await chromium.launch(CHROMIUM)
    return { origin, prost, browser, close: () => browser.close().finally(reset) }
  } catch (error) {
    await reset()
    throw error
  }
}

/**
 * A visitor with empty pockets. `complaints` fills with what a page does wrong unseen: errors, breaches of the content
 * security policy, requests that leave the origin.
 */
export async function visitor(
  { browser, origin },
  { device = 'desktop', theme = 'light', locale = 'en-GB', motion = 'reduce' } = {},
) {
  const context = await browser.newContext({
    ...DEVICES[device],
    baseURL: origin,
    colorScheme: theme,
    reducedMotion: motion,
    locale,
  })
  context.setDefaultTimeout(LONGEST_WAIT_MS)
  const page = await context.newPage()
  const complaints = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text().slice(0, 300)))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (!['data:', 'blob:'].includes(url.protocol) && url.host !== new URL(origin).host) complaints.push(`asked for ${url}`)
  })
  return { page, context, complaints, leave: () => context.close() }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** So many free ports in a row. Others look for ports, too, and a shop takes seconds to open: each begins elsewhere. */
async function freePorts(count) {
  const [least, places] = [29_000, Math.floor(3_000 / count)]
  const begin = randomInt(places)
  for (let place = 0; place < places; place++) {
    const first = least + ((begin + place) % places) * count
    const free = await Promise.all(Array.from({ length: count }, (_, offset) => isFree(first + offset)))
    if (free.every(Boolean)) return first
  }
  throw new Error(`there are no ${count} free ports in a row`)
}
