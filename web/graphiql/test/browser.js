// GraphiQL as a visitor sees it: served by the binary, in a real browser, under its own content security policy.
//
//   PROST=path/to/prost CHROMIUM=path/to/chromium npm run test:browser
//
// Opens a shop in a folder of its own, and deletes it again.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'

const binary = process.env.PROST ?? '../../target/debug/prost'
const run = promisify(execFile)
let dataDir, origin, browser

function prost(...args) {
  return run(binary, ['--data-dir', dataDir, ...args])
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

async function sevenFreePorts() {
  for (let first = 21_000; first < 29_000; first += 7) {
    const free = await Promise.all([0, 1, 2, 3, 4, 5, 6].map((offset) => isFree(first + offset)))
    if (free.every(Boolean)) return first
  }
  throw new Error('there are no seven free ports in a row')
}

before(async () => {
  dataDir = join(process.env.SHOPS_DIR ?? tmpdir(), `browser-${randomUUID()}`)
  const port = await sevenFreePorts()
  await prost('up', '--detach', '--port', String(port))
  origin = `http://127.0.0.1:${port}`
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage'],
  })
})

after(async () => {
  await browser?.close()
  await prost('reset', '--yes')
})

test('GraphiQL loads nothing from elsewhere, breaks no policy, and runs a query', async () => {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } })
  const complaints = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text().slice(-200)))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    const { protocol, origin: host, href } = new URL(request.url())
    if (protocol !== 'data:' && host !== origin) complaints.push(`asked for ${href}`)
  })
  const introspected = page.waitForResponse(`${origin}/graphql`)
  await page.goto(`${origin}/graphiql`)
  assert.equal((await introspected).status(), 200)

  const answered = page.waitForResponse(`${origin}/graphql`)
  await page.click('.graphiql-execute-button')
  const { data } = await (await answered).json()
  assert.equal(data.products.edges.length, 5)
  const { name } = data.products.edges[0].node
  await page.locator('.graphiql-response').getByText(name).waitFor()

  await page.click('[aria-label="Show Documentation Explorer"]')
  await page.locator('.graphiql-doc-explorer').getByText('Subscription').first().waitFor()
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT })
  assert.deepEqual(complaints, [])
})
