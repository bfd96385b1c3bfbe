// What no page may have, whatever it shows.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** No violation that axe knows, nothing wider than the screen. */
export async function assertAccessible(page) {
  // By the debugger's protocol, which the content security policy does not concern.
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run())
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join('\n')}`)
  const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
  assert.deepEqual(found, [])
  assert.equal(isTooWide, false, 'wider than the screen')
}
