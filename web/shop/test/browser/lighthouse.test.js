// What Lighthouse says of the pages that a visitor sees first, as far as it does not depend on what else the machine
// does: `npm run lighthouse` measures the speed, too.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch } from 'chrome-launcher'
import lighthouse from 'lighthouse'
import { CHROME, DEVICES, LEAST, firstPages } from '../lighthouse/judge.js'
import { openShop } from './shop.js'

const JUDGED = ['accessibility', 'best-practices', 'seo']

/** Of everything that a first visit fetches, compressed: twice as much is a second more on a phone. */
const MOST_BYTES = 400_000
const MOST_REQUESTS = 45

let shop, chrome
before(async () => {
  shop = await openShop()
  chrome = await launch(CHROME)
})
after(async () => {
  chrome?.kill()
  await shop?.close()
})

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
