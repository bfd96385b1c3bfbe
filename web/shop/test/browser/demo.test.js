// The "break it" panel does what it says, and leaves the visitor who they are.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openShop, visitor } from './shop.js'

let shop
before(async () => (shop = await openShop()))
after(() => shop?.close())

const EXPERIMENTS = [
  ['Decline a payment', 'as before. Nothing was charged.'],
  ['Lose the answer', '1 payment'],
  ['Sell the last one twice', '1 order confirmed, 1 given back'],
  ['Send poison', 'The poison stopped nobody.'],
]

for (const [button, result] of EXPERIMENTS) {
  test(`${button}: ${result}`, async () => {
    const { page, complaints, leave } = await visitor(shop)
    await page.goto('/break-it')
    await page.getByRole('button', { name: button }).click()
    await page.getByRole('log').getByText(result).waitFor({ timeout: 60_000 })
    await page.reload()
    await page.getByRole('link', { name: 'Log in' }).waitFor()
    assert.deepEqual(complaints, [])
    await leave()
  })
}
