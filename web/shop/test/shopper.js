// What tests and screenshots do before they look: things that a shopper could do by hand, done by the page itself.
import { randomUUID } from 'node:crypto'

export const ADDRESS = { fullName: 'Ada Lovelace', line1: 'Hauptstraße 1', postalCode: '10115', city: 'Berlin' }

/** Asks the gateway as the page would; its cookies come along. */
export async function ask(page, query, variables = {}, token = null) {
  const { data, errors } = await page.evaluate(
    async ([body, bearer]) => {
      const headers = { 'Content-Type': 'application/json', ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}) }
      return (await fetch('/graphql', { method: 'POST', headers, body })).json()
    },
    [JSON.stringify({ query, variables }), token],
  )
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

/** Opens an account of one's own; the browser is logged in from the next load on. Answers its token. */
export async function becomeCustomer(page, email) {
  const name = `ada-${randomUUID()}`
  const input = { email: email ?? `${name}@prost.example`, username: name, password: 'correct-horse' }
  const { registerUser } = await ask(
    page,
    'mutation ($input: RegisterUserInput!) { registerUser(input: $input) { token } }',
    { input },
  )
  return registerUser.token
}

/** Someone who runs the shop: a token that the browser does not keep. */
export async function adminToken(page) {
  const query = 'mutation ($input: LoginUserInput!) { loginUser(input: $input) { token } }'
  const input = { email: 'admin@prost.example', password: 'admin-password' }
  return page.evaluate(
    async (body) => {
      const headers = { 'Content-Type': 'application/json' }
      const answer = await fetch('/graphql', { method: 'POST', credentials: 'omit', headers, body })
      return (await answer.json()).data.loginUser.token
    },
    JSON.stringify({ query, variables: { input } }),
  )
}

/** A product of which there is enough. */
export async function anyProduct(page) {
  const { products } = await ask(
    page,
    '{ products(first: 20, sort: NAME, filter: { inStock: true }) { edges { node { id name stockQuantity } } } }',
  )
  return products.edges.map(({ node }) => node).find(({ stockQuantity }) => stockQuantity > 5)
}

/** Puts one of a product into a cart: a guest's, kept in the browser, or that of a token's owner. */
export async function fillCart(page, { product, token = null } = {}) {
  const { id } = product ?? (await anyProduct(page))
  const { addToCart } = await ask(
    page,
    'mutation ($input: AddToCartInput!) { addToCart(input: $input) { cart { id } } }',
    { input: { productId: id, quantity: 1 } },
    token,
  )
  if (!token) await page.evaluate((cart) => localStorage.setItem('prost.cart', cart), addToCart.cart.id)
  return addToCart.cart.id
}

/** A customer with something in the cart, at the checkout's first step. */
export async function beginCheckout(page, options = {}) {
  const token = await becomeCustomer(page)
  await fillCart(page, { ...options, token })
  await page.goto('/checkout')
  await page.getByRole('heading', { name: 'Where does it go?' }).waitFor()
  return token
}

/** Enters the address and the way to pay; ends at the review. */
export async function enterDetails(page, method = 'Visa, ending in 4242') {
  await page.getByLabel('Full name').fill(ADDRESS.fullName)
  await page.getByLabel('Street and number').fill(ADDRESS.line1)
  await page.getByLabel('Postcode').fill(ADDRESS.postalCode)
  await page.getByLabel('Town').fill(ADDRESS.city)
  await page.getByRole('button', { name: 'On to the payment' }).click()
  await page.getByRole('radio', { name: method }).click()
  await page.getByRole('button', { name: 'On to the review' }).click()
  await page.getByRole('heading', { name: 'All as you want it?' }).waitFor()
}

/** Buys, and waits until the shop has decided. */
export async function buy(page, method, outcome = 'It is yours') {
  await beginCheckout(page)
  await enterDetails(page, method)
  await page.getByRole('button', { name: /^Order and pay/ }).click()
  await page.getByRole('heading', { level: 1, name: outcome }).waitFor()
}
