// The operator's work, in a browser against a whole shop.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { closeWhenDone, replayDeadLetter } from './consoleJourneys.js'
import { focusIsOn, keys } from './keys.js'
import {
  caller,
  discardAll,
  emptyOutbox,
  fillOutbox,
  logIn,
  placeOrder,
  poison,
  stick,
  stickMany,
  unsend,
  unstickAll,
  until,
  visitConsole,
} from './operator.js'
import { openShop, visitor } from './shop.js'

// A picture of one green pixel.
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)

let shop, operator, customer
before(async () => {
  shop = await openShop()
  operator = await caller(shop, 'admin@prost.example', 'admin-password')
  customer = await caller(shop, 'demo@prost.example', 'demo-password')
})
after(() => shop?.close())

/** What is said of a field beside its label. */
const descriptionOf = (field) =>
  field.evaluate((input) => document.getElementById(input.getAttribute('aria-describedby')).textContent.trim())

/** What the list of products shows of each. */
const productsOn = (page) =>
  page.locator('tbody tr').evaluateAll((rows) =>
    rows.map(({ cells: [, name, , stock, price] }) => ({
      name: name.innerText,
      stock: stock.innerText,
      price: Number(price.innerText.replace('€', '')),
    })),
  )
const areCheapestFirst = (products) =>
  products.length > 1 && products.every(({ price }, index) => index === 0 || products[index - 1].price <= price)
const areSoldOut = (products) => products.length > 0 && products.every(({ stock }) => stock === 'sold out')

/** Does something in the console of this shop. */
const withConsole = (path, work) => visitConsole(shop, path, work)

test('who is no operator is told so, and offered the login', async () => {
  const { page, leave } = await visitor(shop)
  await logIn(page, 'demo@prost.example', 'demo-password', '/console/orders')
  await page.getByRole('heading', { name: 'For operators only' }).waitFor()
  await page.getByRole('link', { name: 'Log in with another account' }).click()
  await page.waitForURL((url) => url.pathname === '/login' && url.searchParams.get('next') === '/console/orders')
  await leave()
})

describe('products', () => {
  const SKU = 'TEST-001'

  test('one is created, with a picture, once its fields are right', () =>
    withConsole('/console/products/new', async (page) => {
      await page.getByRole('button', { name: 'Create product' }).click()
      await page.getByText('A name is needed.').waitFor()
      await page.getByText('An amount like 12.50, please.').waitFor()

      await page.getByLabel('Name').fill('Test Tonic')
      await page.getByLabel('SKU').fill(SKU)
      await page.getByLabel('Price').fill('2,40')
      await page.locator('input[type=file]').setInputFiles({ name: 'tonic.png', mimeType: 'image/png', buffer: PIXEL })
      await page.getByRole('img', { name: 'Picture 1' }).waitFor()
      await page.getByRole('button', { name: 'Create product' }).click()
      await page.getByRole('heading', { level: 1, name: 'Test Tonic' }).waitFor()
      assert.match(await page.getByRole('img', { name: 'Picture 1' }).getAttribute('src'), /^\/pictures\/[0-9a-f]{64}\.webp$/)
    }))

  test('a SKU that is taken is said beside the field', () =>
    withConsole('/console/products/new', async (page) => {
      await page.getByLabel('Name').fill('Another')
      await page.getByLabel('SKU').fill(SKU)
      await page.getByLabel('Price').fill('1')
      await page.getByRole('button', { name: 'Create product' }).click()
      await page.getByText('Another product has this SKU.').waitFor()
    }))

  test('who has only a keyboard changes one, and its stock', () =>
    withConsole(`/console/products?q=${SKU}`, async (page) => {
      const { tab, enter } = keys(page)
      await page.getByRole('link', { name: 'Test Tonic' }).waitFor()
      await enter(page.getByRole('link', { name: 'Test Tonic' }))
      const description = page.getByLabel('Description', { exact: true })
      await description.waitFor()
      await tab(description)
      await page.keyboard.type('Bitter.')
      await enter(page.getByRole('button', { name: 'Save' }))
      await page.getByText('Everything is saved').waitFor()

      await tab(page.getByRole('radio', { name: 'Add or take' }))
      await page.keyboard.press('ArrowRight')
      await tab(page.getByLabel('Counted'))
      await page.keyboard.type('7')
      await tab(page.getByLabel('Reason'))
      await page.keyboard.type('Found behind the door')
      await page.keyboard.press('Enter')
      await page.getByRole('listitem').filter({ hasText: 'Found behind the door' }).filter({ hasText: '+7' }).waitFor()
    }))

  test('stock is counted, with a reason that stays', () =>
    withConsole(`/console/products?q=${SKU}`, async (page) => {
      await page.getByRole('link', { name: 'Test Tonic' }).click()
      await page.getByText('Count', { exact: true }).click()
      await page.getByLabel('Counted').fill('40')
      await page.getByLabel('Reason').fill('First delivery')
      await page.getByText('makes 40').waitFor()
      await page.getByRole('button', { name: 'Change stock' }).click()
      await page.getByRole('listitem').filter({ hasText: 'First delivery' }).filter({ hasText: '+33' }).waitFor()
    }))

  test('two who edit at once both keep their work', () =>
    withConsole(`/console/products?q=${SKU}`, async (page) => {
      await page.getByRole('link', { name: 'Test Tonic' }).click()
      await page.getByLabel('Description', { exact: true }).fill('Bitter, on purpose.')

      const { products } = await operator(`{ products(first: 1, filter: { q: "${SKU}" }) { edges { node { id } } } }`)
      await operator('mutation ($input: UpdateProductInput!) { updateProduct(input: $input) { product { id } } }', {
        input: { id: products.edges[0].node.id, name: 'Test Tonic Extra' },
      })

      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Somebody else was faster').waitFor()
      await page.getByRole('button', { name: 'Put mine on top' }).click()
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Everything is saved').waitFor()
      assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Test Tonic Extra')
      assert.equal(await page.getByLabel('Description', { exact: true }).inputValue(), 'Bitter, on purpose.')
    }))

  test('a list is looked at first, and then brought in', () =>
    withConsole('/console/products/import', async (page) => {
      const list = ['sku,name,price,stock', `${SKU},Test Tonic Dry,2.60,40`, 'TEST-002,Test Soda,1.10,12', 'TEST-003,,free,1']
      const file = { name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(list.join('\n')) }
      await page.locator('input[type=file]').setInputFiles(file)
      await page.getByText('An amount like 12.50, please.').waitFor()
      await page.getByRole('button', { name: 'Import 2 products' }).click()
      await page.getByText('2 of 2 imported').waitFor()
      const { products } = await operator('{ products(first: 5, filter: { q: "TEST-002" }) { edges { node { name stockQuantity } } } }')
      assert.deepEqual(products.edges[0].node, { name: 'Test Soda', stockQuantity: 12 })
    }))

  test('the list is carried away as a file that can be brought in again', () =>
    withConsole(`/console/products?q=${SKU}`, async (page) => {
      await page.getByRole('link', { name: /Test Tonic/ }).waitFor()
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Export' }).click(),
      ])
      assert.match(download.suggestedFilename(), /\.csv$/)
      const exported = await readFile(await download.path())
      assert.match(exported.toString(), /^\uFEFF?sku,name,price,currency,stock,category,description,images\r?\n/)
      assert.match(exported.toString(), new RegExp(`^${SKU},`, 'm'))

      await page.goto('/console/products/import')
      await page.locator('input[type=file]').setInputFiles({ name: 'back.csv', mimeType: 'text/csv', buffer: exported })
      await page.getByRole('row').filter({ hasText: SKU }).getByText('Unchanged').waitFor()
    }))

  test('the list is sorted and filtered in the address', () =>
    withConsole('/console/products', async (page) => {
      const price = page.getByRole('columnheader', { name: 'Sort by: Price' })
      await price.getByRole('button').click()
      await page.waitForURL(/sort=PRICE_ASC/)
      await until(async () => areCheapestFirst(await productsOn(page)))
      assert.equal(await price.getAttribute('aria-sort'), 'ascending')
      await page.getByLabel('Stock').selectOption('out')
      await page.waitForURL(/stock=out/)
      await until(async () => areSoldOut(await productsOn(page)))

      // The address says it all: whoever is sent it sees the same.
      const shown = await productsOn(page)
      assert.ok(areCheapestFirst(shown), JSON.stringify(shown))
      await page.reload()
      await until(async () => areSoldOut(await productsOn(page)))
      assert.deepEqual(await productsOn(page), shown)
      assert.equal(await page.getByLabel('Stock').inputValue(), 'out')
      assert.equal(await price.getAttribute('aria-sort'), 'ascending')
    }))
})

describe('orders', () => {
  test('one is found by its e-mail, followed, shipped, delivered and paid back', async () => {
    const id = await placeOrder(customer)
    await withConsole('/console/orders', async (page) => {
      await page.getByRole('search', { name: /Order, correlation/ }).getByRole('searchbox').fill('demo@prost.example')
      await page.waitForURL(/q=demo/)
      await page.getByRole('link', { name: id.slice(-8) }).click()
      await page.getByRole('heading', { name: `Order ${id.slice(-8)}` }).waitFor()

      // By keyboard: into the chart, to its third bar, and open it.
      await page.getByRole('option').first().waitFor()
      await page.locator('[role=option][tabindex="0"]').focus()
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Payload' }).waitFor()
      assert.match(await page.getByRole('region', { name: 'Payload' }).innerText(), new RegExp(id))

      await page.getByRole('button', { name: 'Ship' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Ship' }).click()
      await page.getByRole('button', { name: 'Deliver' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Deliver' }).click()
      await page.getByText('Delivered', { exact: true }).first().waitFor()

      await page.getByRole('button', { name: 'Refund' }).click()
      const amount = page.getByLabel('Amount in EUR')
      await amount.fill('1000000')
      await amount.and(page.locator('[aria-invalid="true"]')).waitFor()
      assert.match(await descriptionOf(amount), /^An amount of €[\d.,]+ at most, please\.$/)
      await amount.fill('1')
      await amount.and(page.locator('[aria-invalid="false"]')).waitFor()
      await page.getByLabel('Reason').fill('A broken bottle')
      await page.getByRole('dialog').getByRole('button', { name: 'Refund' }).click()
      await page.getByText('A broken bottle').waitFor()
      await page.getByText('Partly refunded').waitFor()
    })
  })

  test('who has only a keyboard opens one, looks into an event, and leaves a dialog again', async () => {
    await placeOrder(customer)
    await withConsole('/console/orders', async (page) => {
      const { enter } = keys(page)
      await page.getByRole('row').nth(1).waitFor()
      await enter(page.getByRole('row').nth(1).getByRole('link'))

      await page.getByRole('option').first().waitFor()
      await enter(page.getByRole('option'))
      const event = page.getByRole('region').filter({ has: page.getByRole('heading', { name: 'Payload' }) })
      await focusIsOn(page, event)
      await enter(event.getByRole('button', { name: 'Close' }))
      await event.waitFor({ state: 'detached' })
      await focusIsOn(page, page.locator('[role=option][tabindex="0"]'))

      const ship = page.getByRole('button', { name: 'Ship' })
      await enter(ship, 'Shift+Tab')
      const dialog = page.getByRole('dialog')
      await enter(dialog.getByRole('button', { name: 'Cancel', exact: true }))
      await dialog.waitFor({ state: 'detached' })
      await focusIsOn(page, ship)
    })
  })

  test('one is cancelled, and undone before the operator’s eyes', async () => {
    const id = await placeOrder(customer)
    await withConsole(`/console/orders/${id}`, async (page) => {
      await page.getByRole('button', { name: 'Cancel order' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel order' }).click()
      await page.getByText('Cancelled', { exact: true }).waitFor()
      await page.getByRole('option', { name: /PaymentRefunded/ }).first().waitFor()
    })
  })

  test('one that is stuck is found, and set going again', async () => {
    const id = await placeOrder(customer, 'pm_card_chargeDeclined')
    await stick(shop, id)
    await withConsole('/console', async (page) => {
      await page.getByRole('link', { name: /^Stuck orders/ }).click()
      await page.getByRole('link', { name: id.slice(-8) }).click()
      await page.getByText('Still to be undone').waitFor()
      await page.getByRole('button', { name: 'Retry' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click()
      await page.getByText('Set an order going').waitFor()
      await page.getByText('Still to be undone').waitFor({ state: 'detached' })
      await page.getByText('Failed', { exact: true }).first().waitFor()
    })
  })
})

describe('many that are stuck', () => {
  before(async () => stickMany(shop, await placeOrder(customer, 'pm_card_chargeDeclined'), 101))
  after(() => unstickAll(shop))

  test('are said to be more than are counted, and paged through', () =>
    withConsole('/console', async (page) => {
      await page.getByRole('link', { name: /^Stuck orders 100\+/ }).click()
      await page.getByRole('link', { name: 'Stuck 100+ need attention' }).waitFor()
      assert.equal(await page.getByRole('main').getByRole('searchbox').count(), 0, 'nothing narrows this list')
      const links = page.getByRole('table').getByRole('link')
      const [first, second] = [[], []]
      for (const names of [first, second]) {
        await links.nth(24).waitFor()
        names.push(...(await links.allTextContents()))
        await page.getByRole('link', { name: 'Next page' }).click()
        await page.getByRole('link', { name: names[0], exact: true }).waitFor({ state: 'detached' })
      }
      assert.deepEqual([first.length, second.length], [25, 25])
      assert.equal(second.filter((name) => first.includes(name)).length, 0)
      await page.getByRole('link', { name: 'Previous page' }).click()
      await page.getByRole('link', { name: second[0], exact: true }).waitFor()
    }))

  test('are fewer without a reload when they are', () =>
    withConsole('/console/orders?status=STUCK', async (page) => {
      await page.getByRole('row').nth(25).waitFor()
      await unstickAll(shop)
      await page.getByText('Nothing is stuck').waitFor()
    }))
})

describe('messages', () => {
  test('a dead letter is read, replayed, comes back, and is discarded with a reason', async () => {
    const { eventId, letters } = await poison(operator)
    await withConsole('/console/messages', async (page) => {
      await replayDeadLetter(page, eventId)
      await closeWhenDone(page)

      // Nobody mended anything: it is parked again.
      await page.goto(`/console/messages/dead?about=${eventId}`)
      await page.getByRole('row').nth(letters).waitFor()
      await page.getByLabel('Select all on this page').click()
      await page.getByRole('button', { name: /^Discard/ }).click()
      await page.getByLabel('Reason, for the audit trail').fill('A test')
      await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click()
      await closeWhenDone(page)
      await page.getByText('No dead letter holds that text').waitFor()

      await page.goto('/console/messages/audit')
      await page.getByRole('cell', { name: 'Discarded a dead letter' }).first().waitFor()
      await page.getByRole('cell', { name: 'A test' }).first().waitFor()
      await page.getByRole('cell', { name: 'admin@prost.example' }).first().waitFor()
    })
  })

  test('who has only a keyboard replays one', async () => {
    const { eventId } = await poison(operator)
    await withConsole(`/console/messages/dead?about=${eventId}`, async (page) => {
      const { enter } = keys(page)
      const letter = page.getByRole('row').nth(1).getByRole('link')
      await letter.waitFor()
      await enter(letter)
      await page.getByRole('region', { name: 'Message' }).waitFor()
      await enter(page.getByRole('button', { name: 'Replay' }))
      await page.getByText('One message would be handled.').waitFor()
      const dialog = page.getByRole('dialog')
      await enter(dialog.getByRole('button', { name: 'Replay' }))
      await page.getByText('One message is back in its queue.').waitFor()
      await enter(dialog.getByRole('button', { name: 'Close' }).nth(1))
      await dialog.waitFor({ state: 'detached' })
    })
    await discardAll(operator)
  })

  test('nothing is disposed of by a filter that is not answered yet', async () => {
    const { eventId, letters } = await poison(operator)
    const others = await poison(operator)
    await withConsole('/console/messages/dead', async (page) => {
      await page.getByRole('row').nth(letters + others.letters).waitFor()
      let answer
      const answered = new Promise((resolve) => (answer = resolve))
      await page.route('**/graphql', async (route) => {
        const { operationName, variables } = route.request().postDataJSON()
        if (operationName === 'DeadLetters' && variables.about) await answered
        await route.continue()
      })
      await page.getByRole('main').getByRole('searchbox').fill(eventId)
      await page.waitForURL(/about=/)
      for (const act of ['Replay', 'Discard']) {
        await page.getByRole('main').getByRole('button', { name: act, disabled: true }).waitFor()
      }
      answer()
      await page.getByRole('main').getByRole('button', { name: 'Discard', disabled: false }).waitFor()
      assert.equal(await page.getByRole('row').count(), 1 + letters)
    })
    await discardAll(operator)
  })

  test('those of one queue are seen alone, and all are replayed until somebody stops', async () => {
    const { letters, queues } = await poison(operator)
    assert.ok(letters > 1, 'of several queues')
    await withConsole('/console/messages', async (page) => {
      await page.getByRole('row').filter({ hasText: queues[0] }).getByRole('link', { name: '1' }).click()
      await page.waitForURL((url) => url.searchParams.get('queue') === queues[0])
      await page.getByRole('row').nth(1).waitFor()
      assert.equal(await page.getByRole('row').count(), 2, 'a heading and one letter')
      await page.getByLabel('Queue').selectOption('Every queue (' + letters + ')')
      await page.getByRole('row').nth(letters).waitFor()

      // The second round is held up until the operator has had enough.
      let rounds = 0
      const stopped = new Promise((resolve) => page.exposeFunction('stopped', resolve))
      await page.route('**/graphql', async (route) => {
        const { query, variables } = route.request().postDataJSON()
        if (query.includes('replayDeadLetters') && !variables.input.dryRun && ++rounds === 2) await stopped
        await route.continue()
      })
      await page.getByRole('button', { name: 'Replay all' }).click()
      await page.getByText(`${letters} messages would be handled.`).waitFor()
      await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click()
      await page.getByRole('progressbar').waitFor()
      await page.getByText('One message is back in its queue.').waitFor()
      await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click()
      await page.evaluate(() => globalThis.stopped())
      await page.getByText('Stopped before the end. What was handled stays handled.').waitFor()
      await page.getByRole('dialog').getByRole('link', { name: 'See it in the audit trail' }).click()
      await page.getByRole('cell', { name: 'Replayed a dead letter' }).first().waitFor()
    })
  })

  test('events that were not sent are paged through, of one service and in one state', async () => {
    await fillOutbox(shop, 30)
    await withConsole('/console/messages/outbox', async (page) => {
      const events = page.getByRole('list', { name: 'Events not sent yet' }).getByRole('listitem')
      await page.getByRole('combobox', { name: 'Service' }).selectOption('products')
      await page.getByRole('list', { name: 'How each service stands' }).getByText('30 given up').waitFor()
      await events.nth(24).waitFor()
      assert.equal(await events.count(), 25)
      await page.getByRole('link', { name: 'Next page' }).click()
      await events.nth(24).waitFor({ state: 'detached' })
      await events.nth(4).waitFor()
      assert.equal(await events.count(), 5)
      await page.getByRole('link', { name: 'Previous page' }).click()
      await events.nth(24).waitFor()
      await page.getByRole('combobox', { name: 'State' }).selectOption('Waiting')
      await page.getByText('No such event waits').waitFor()
    }).finally(() => emptyOutbox(shop))
  })

  test('a page of unsent events that cannot be read leaves the filters, which lead out of it', () =>
    withConsole('/console/messages/outbox?after=nowhere&service=products', async (page) => {
      await page.getByRole('main').getByRole('button', { name: 'Try again' }).waitFor()
      await page.getByRole('combobox', { name: 'Service' }).selectOption('')
      await page.getByText('Nothing waits: every event has been sent.').waitFor()
      await page.getByRole('main').getByRole('button', { name: 'Try again' }).waitFor({ state: 'detached' })
      await page.getByRole('combobox', { name: 'State' }).selectOption('Given up')
      await page.getByText('No such event waits').waitFor()
    }))

  test('what the broker refused is read, sent again, and given up with a reason', async () => {
    const [sent, givenUp] = [await placeOrder(customer), await placeOrder(customer)]
    await unsend(shop, sent)
    await withConsole('/console/messages/outbox', async (page) => {
      await page.getByRole('link', { name: 'OrderConfirmed' }).click()
      assert.match(await page.getByRole('region', { name: 'Message' }).innerText(), new RegExp(sent))
      await page.getByText('orders.events → order.confirmed').waitFor()
      await page.getByRole('button', { name: 'Send again' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click()
      await page.getByText('This event does not wait any more').waitFor()
      await page.getByText('Sent an event again').waitFor()

      await unsend(shop, givenUp)
      await page.goto('/console/messages/outbox')
      await page.getByRole('listitem').filter({ hasText: 'OrderConfirmed' }).getByRole('button', { name: 'Give up' }).click()
      await page.getByLabel('Reason, for the audit trail').fill('Everybody has it already')
      await page.getByRole('dialog').getByRole('button', { name: 'Give up' }).click()
      await page.getByRole('link', { name: 'OrderConfirmed' }).waitFor({ state: 'detached' })
      await page.goto('/console/messages/audit')
      await page.getByRole('cell', { name: 'Everybody has it already' }).waitFor()
    })
  })
})

describe('customers', () => {
  test('one becomes an operator, and stops being one; the last one cannot', () =>
    withConsole('/console/customers', async (page) => {
      await page.getByRole('search', { name: /E-mail address/ }).getByRole('searchbox').fill('demo@')
      await page.getByRole('link', { name: 'demo@prost.example' }).click()
      for (const [act, role] of [
        ['Make administrator', 'Administrator'],
        ['Take away', 'Customer'],
      ]) {
        await page.getByRole('button', { name: 'Change role' }).click()
        await page.getByRole('dialog').getByRole('button', { name: act }).click()
        await page.getByRole('main').getByText(role, { exact: true }).waitFor()
      }
      await page.goto('/console/customers?q=admin')
      await page.getByRole('link', { name: 'admin@prost.example' }).click()
      await page.getByRole('button', { name: 'Change role' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Take away' }).click()
      await page.getByText('The last administrator stays one.').waitFor()
    }))
})

test('whatever an operator has an id of is found in one place', async () => {
  const id = await placeOrder(customer, 'pm_card_chargeDeclined')
  await withConsole('/console', async (page) => {
    await page.keyboard.press('/')
    await page.keyboard.type(id)
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: id.slice(-8) }).click()
    await page.getByRole('main').getByText('Payment declined').first().waitFor()
  })
})
