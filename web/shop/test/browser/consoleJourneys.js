// What an operator does most, step by step, on whatever screen.
import assert from 'node:assert/strict'

/** A product is created, and is in the shop. */
export async function createProduct(page, sku) {
  await page.goto('/console/products')
  await page.getByRole('link', { name: 'New product' }).click()
  await page.getByRole('button', { name: 'Create product' }).waitFor() // the table, too, has fields called Name
  await page.getByLabel('Name').fill(`Tonic ${sku}`)
  await page.getByLabel('SKU').fill(sku)
  await page.getByLabel('Price').fill('2.40')
  await page.getByRole('button', { name: 'Create product' }).click()
  await page.getByRole('heading', { level: 1, name: `Tonic ${sku}` }).waitFor()
  await page.getByRole('link', { name: 'In the shop' }).click()
  await page.getByText('€2.40').first().waitFor()
}

/**
 * An order is opened and followed: what each service did with an event, how often, how fast, what it said, and in which
 * trace: the one that began at the click of who bought.
 */
export async function followOrder(page, { id, trace }) {
  await page.goto('/console/orders')
  await page.getByRole('link', { name: id.slice(-8) }).click()
  await page.getByRole('option', { name: /^StockReserved from products, orders: Applied, after .+, attempts: 1$/ }).click()
  const event = page.getByRole('region', { name: 'StockReserved' })
  for (const service of ['orders', 'cart']) {
    await event.getByRole('listitem').filter({ hasText: service }).getByText(/after .+ · +1 attempt/).waitFor()
  }
  assert.match(await event.getByRole('region', { name: 'Payload' }).innerText(), new RegExp(id))
  assert.match(trace, /^[0-9a-f]{32}$/)
  await event.getByText(trace, { exact: true }).waitFor()
  await page.locator('summary').filter({ hasText: 'Events as a list' }).click()
  await page.getByRole('table', { name: 'Events as a list' }).getByRole('button', { name: 'OrderConfirmed' }).waitFor()
}

/** A dead letter is read and put back into its queue. */
export async function replayDeadLetter(page, eventId) {
  await page.goto(`/console/messages/dead?about=${eventId}`)
  await page.getByRole('row').nth(1).getByRole('link').click()
  await page.getByRole('region', { name: 'Message' }).waitFor()
  await page.getByRole('button', { name: 'Replay' }).click()
  await page.getByText('One message would be handled.').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click()
  await page.getByText('One message is back in its queue.').waitFor()
}

/** The button below the report, which is there at the end only; the cross in the corner would stop the rounds. */
export const closeWhenDone = (page) => page.getByRole('dialog').getByRole('button', { name: 'Close' }).nth(1).click()
