// What the overview says of a shop, when every order in it is known.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { caller, discardAll, placeOrder, poison, until, visitConsole } from './operator.js'
import { openShop } from './shop.js'

let shop, operator, sold
before(async () => {
  shop = await openShop()
  operator = await caller(shop, 'admin@prost.example', 'admin-password')
  const customer = await caller(shop, 'demo@prost.example', 'demo-password')
  const [shipped, refunded] = [await placeOrder(customer), await placeOrder(customer)]
  await placeOrder(customer, 'pm_card_chargeDeclined')
  await operator('mutation ($id: ID!) { shipOrder(input: { id: $id }) { order { id } } }', { id: shipped })
  sold = [await orderOf(shipped), await orderOf(refunded)]
  await giveBack(sold[1].payments[0].id, '1.00')
  await until(isReported)
})
after(() => shop?.close())

const orderOf = async (id) => {
  const query = 'query ($id: ID!) { order(id: $id) { items { name quantity lineTotal { amount } } total { amount } payments { id } } }'
  return (await operator(query, { id })).order
}

const giveBack = (paymentId, amount) =>
  operator('mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { payment { id } } }', {
    input: { paymentId, amount: { amount, currencyCode: 'EUR' }, reason: 'A test' },
  })

/** Of three carts, one was declined; of the two orders one was shipped. */
const FUNNEL = { cartsFilled: 3, checkouts: 3, stockReserved: 3, paid: 2, confirmed: 2, shipped: 1, delivered: 0 }

/** The reports hear of what happened a moment later, each from another service. */
async function isReported() {
  const { reports } = await operator(
    `{ reports { sagaOutcomes { sagas } checkoutFunnel { ${Object.keys(FUNNEL).join(' ')} } salesPerDay { orders refunds } } }`,
  )
  const total = (rows, name) => sumOf(rows.map((row) => row[name]))
  return (
    Object.entries(FUNNEL).every(([step, count]) => reports.checkoutFunnel[step] === count) &&
    total(reports.sagaOutcomes, 'sagas') === 3 &&
    total(reports.salesPerDay, 'orders') === 2 &&
    total(reports.salesPerDay, 'refunds') === 1
  )
}

const cents = (money) => Math.round(Number(money.replace('€', '')) * 100)
const euros = (sum) => `€${(sum / 100).toFixed(2)}`
const sumOf = (numbers) => numbers.reduce((sum, number) => sum + number, 0)
const section = (page, title) => page.locator('section').filter({ has: page.getByRole('heading', { name: title }) })

/** What a chart shows, as its table has it: the figures of its days. */
async function figuresOf(page, title) {
  const chart = page.getByRole('figure').filter({ hasText: title })
  await chart.locator('summary').click()
  return chart.getByRole('cell').allInnerTexts()
}

test('no figure is said to be zero before it is known', () =>
  visitConsole(shop, '/console/customers', async (page) => {
    let answer
    const answered = new Promise((resolve) => (answer = resolve))
    await page.route('**/graphql', async (route) => {
      if (route.request().postData()?.includes('query Reports')) await answered
      await route.continue()
    })
    const zeros = page.getByText(/^(Nothing was sold|No order has ended)/)
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByRole('heading', { name: 'Sold most' }).waitFor()
    await page.getByRole('link', { name: 'Oldest unsent event' }).waitFor()
    assert.equal(await zeros.count(), 0)
    answer()
    await section(page, 'Sold most').getByRole('listitem').first().waitFor()
    assert.equal(await zeros.count(), 0)
  }))

test('its figures are those of what was ordered, and of nothing else', () =>
  visitConsole(shop, '/console', async (page) => {
    const main = page.getByRole('main')
    await main.getByRole('link', { name: '2', exact: true }).waitFor()
    assert.equal(sumOf((await figuresOf(page, 'Orders confirmed')).map(Number)), 2)

    const revenue = sumOf(sold.map(({ total }) => cents(total.amount))) - 100
    await main.getByRole('paragraph').and(page.getByText(euros(revenue), { exact: true })).waitFor()
    assert.equal(sumOf((await figuresOf(page, 'Revenue, less refunds')).map(cents)), revenue)

    const steps = await section(page, 'From cart to door').getByRole('listitem').allInnerTexts()
    assert.deepEqual(steps.map((step) => step.split('\n').slice(0, 2)), [
      ['Carts filled', '3'],
      ['Checkouts', '3'],
      ['Stock held', '3'],
      ['Paid', '2'],
      ['Confirmed', '2'],
      ['Shipped', '1'],
      ['Delivered', '0'],
    ])

    const endings = await section(page, 'How orders ended').locator('tbody tr').evaluateAll((rows) =>
      rows.map(({ cells }) => [...cells].slice(0, 3).map((cell) => cell.innerText.replace('\n', ' '))),
    )
    assert.deepEqual(endings, [
      ['Confirmed', '2', '67%'],
      ['Failed Payment declined', '1', '33%'],
    ])

    const items = sold.flatMap((order) => order.items)
    const best = section(page, 'Sold most').getByRole('listitem').filter({ hasText: items[0].name })
    await best.getByText(`${sumOf(items.map(({ quantity }) => quantity))} units`, { exact: true }).waitFor()
    const takings = sumOf(items.map(({ lineTotal }) => cents(lineTotal.amount)))
    await best.getByText(euros(takings), { exact: true }).waitFor()
    const latest = section(page, 'Latest orders').locator('tbody tr')
    await latest.nth(2).waitFor()
    assert.equal(await latest.count(), 3)
  }))

test('it is live: what is parked meanwhile shows without a reload', () =>
  visitConsole(shop, '/console', async (page) => {
    await page.getByRole('link', { name: /^Dead letters 0/ }).waitFor()
    const { letters } = await poison(operator)
    await page.getByRole('link', { name: new RegExp(`^Dead letters ${letters}`) }).waitFor()
    await page.getByRole('link', { name: `Messages ${letters} need attention` }).waitFor()
    await discardAll(operator)
    await page.getByRole('link', { name: /^Dead letters 0/ }).waitFor()
  }))
