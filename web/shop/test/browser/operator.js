// What the console's tests need of a shop besides pages: an operator who is logged in, orders, messages that fail.
import assert from 'node:assert/strict'
import { visitor } from './shop.js'

export async function logIn(page, email, password, next) {
  await page.goto(`/login?next=${encodeURIComponent(next)}`)
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
  await page.waitForURL((url) => url.pathname !== '/login')
}

export const logInAsOperator = (page, next = '/console') => logIn(page, 'admin@prost.example', 'admin-password', next)

/** Does something in the console, as an operator; nothing may go wrong unseen meanwhile. */
export async function visitConsole(shop, path, work, options) {
  const { page, complaints, leave } = await visitor(shop, options)
  await logInAsOperator(page, path)
  await work(page)
  await leave()
  assert.deepEqual(complaints, [])
}

/** The gateway, asked as somebody who has logged in. */
export async function caller(shop, email, password) {
  const ask = async (query, variables, token) => {
    const response = await fetch(`${shop.origin}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors } = await response.json()
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }
  const login = 'mutation ($input: LoginUserInput!) { loginUser(input: $input) { token } }'
  const { loginUser } = await ask(login, { input: { email, password } })
  return (query, variables) => ask(query, variables, loginUser.token)
}

const ADDRESS = { fullName: 'Anna Ohm', line1: 'Am Hof 1', city: 'Cologne', postalCode: '50667', countryCode: 'DE' }

/** Buys two of something and answers the order's id, when the order is at rest. */
export async function placeOrder(ask, paymentMethod = 'pm_card_visa') {
  const { products } = await ask('{ products(first: 1, filter: { inStock: true }) { edges { node { id } } } }')
  const line = { productId: products.edges[0].node.id, quantity: 2 }
  const { addToCart } = await ask('mutation ($input: AddToCartInput!) { addToCart(input: $input) { cart { id } } }', {
    input: line,
  })
  const { checkout } = await ask('mutation ($input: CheckoutInput!) { checkout(input: $input) { order { id } } }', {
    input: { cartId: addToCart.cart.id, paymentMethod, shippingAddress: ADDRESS },
  })
  const { id } = checkout.order
  await until(async () => {
    const { order } = await ask('query ($id: ID!) { order(id: $id) { status } }', { id })
    return ['CONFIRMED', 'COMPENSATED'].includes(order.status)
  })
  return id
}

/** Sends a message that no service can read, and waits until it is parked: once for each queue that it went into. */
export async function poison(ask) {
  const sent = await ask('mutation { sendPoisonMessage(input: {}) { queue queues eventId userErrors { code } } }')
  const { eventId, queues } = sent.sendPoisonMessage
  await until(async () => {
    const { search } = await ask('query ($text: String!) { search(text: $text) { deadLetters { total items { id } } } }', {
      text: eventId,
    })
    return search.deadLetters.items.length >= queues.length
  })
  return { eventId, queues, letters: queues.length }
}

/** Throws every dead letter away. */
export async function discardAll(ask) {
  const { queues } = await ask('{ queues { service } }')
  const discard = 'mutation ($input: DiscardDeadLettersInput!) { discardDeadLetters(input: $input) { userErrors { code } } }'
  for (const service of new Set(queues.map((queue) => queue.service))) {
    await ask(discard, { input: { service, all: true, reason: 'The next test begins without' } })
  }
}

/** Makes an order's saga give up, as if the cart had never answered. */
export const stick = (shop, order) =>
  sql(
    shop,
    `UPDATE orders.saga_states SET status = 'STUCK', ending = 'FAILURE', compensation_log = '{REOPEN}', asked = 10
       WHERE order_id = '${order}';
     UPDATE orders.orders SET status = 'FAILED' WHERE id = '${order}'`,
  )

/** Copies an order so many times, each of them stuck; `unstickAll` takes them away again. */
export const stickMany = (shop, order, count) =>
  sql(
    shop,
    `WITH copied AS (
       INSERT INTO orders.orders
         SELECT (jsonb_populate_record(one, jsonb_build_object(
           'id', gen_random_uuid(), 'saga_correlation_id', gen_random_uuid(), 'status', 'FAILED'))).*
         FROM orders.orders one, generate_series(1, ${count}) WHERE one.id = '${order}'
         RETURNING id, saga_correlation_id)
     INSERT INTO orders.saga_states
       SELECT (jsonb_populate_record(saga, jsonb_build_object(
         'id', gen_random_uuid(), 'order_id', copied.id, 'correlation_id', copied.saga_correlation_id, 'status', 'STUCK',
         'ending', 'FAILURE', 'compensation_log', '["REOPEN"]'::jsonb, 'asked', 10))).*
       FROM orders.saga_states saga, copied WHERE saga.order_id = '${order}'`,
  )

export const unstickAll = (shop) =>
  sql(shop, `DELETE FROM orders.orders WHERE id IN (SELECT order_id FROM orders.saga_states WHERE status = 'STUCK')`)

/** Puts an order's last event back into the outbox, as if the broker had refused it too often. */
export const unsend = (shop, order) =>
  sql(
    shop,
    `INSERT INTO orders.outbox (event_id, recorded_at, attempts, last_error, failed_at)
       SELECT event_id, recorded_at, 10, 'the broker refused it: unroutable', now()
       FROM orders.events WHERE event_type = 'OrderConfirmed' AND aggregate_id = '${order}'`,
  )

/** Fills the outbox of products with events that it has given up; `emptyOutbox` takes them out again. */
export const fillOutbox = (shop, count) =>
  sql(
    shop,
    `WITH recorded AS (
       INSERT INTO catalog.events (event_id, event_type, aggregate_type, aggregate_id, correlation_id, exchange,
                                   routing_key, envelope)
         SELECT id, 'ProductUpdated', 'product', id, id, 'products.events', 'product.updated', '{}'
         FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ${count})) made
         RETURNING event_id, recorded_at)
     INSERT INTO catalog.outbox (event_id, recorded_at, attempts, last_error, failed_at)
       SELECT event_id, recorded_at, 10, 'filled by a test', now() FROM recorded`,
  )

export const emptyOutbox = (shop) => sql(shop, `DELETE FROM catalog.outbox WHERE last_error = 'filled by a test'`)

/** Nothing that a console can do: only a shop of the tests' own is broken on purpose. */
function sql(shop, statement) {
  if (!shop.prost) throw new Error('SHOP names a shop that the tests may not break: leave it out')
  return shop.prost('psql', '--', '--quiet', '--set=ON_ERROR_STOP=1', `--command=${statement}`)
}

/** Asks again and again until it is so. */
export async function until(isSo, deadlineMs = 60_000) {
  const end = Date.now() + deadlineMs
  while (!(await isSo())) if (Date.now() > end) throw new Error('it did not become so in time')
}
