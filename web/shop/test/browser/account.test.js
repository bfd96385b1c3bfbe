// The session and the cart of whoever comes, stays, goes, and comes back.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { adminToken, anyProduct, ask, becomeCustomer, fillCart } from '../shopper.js'
import { ALL_LOOKS, openShop, visitor } from './shop.js'

let shop
before(async () => (shop = await openShop()))
after(() => shop?.close())

const account = (page) => page.getByRole('button', { name: 'Account', exact: true })
const cart = (page, count) => page.getByRole('button', { name: `Cart, ${count}` })

async function newCustomer(page) {
  await page.goto('/')
  const token = await becomeCustomer(page)
  await page.reload()
  await account(page).waitFor()
  return token
}

for (const look of ALL_LOOKS) {
  test(`on a ${look.device}, ${look.theme}: a guest keeps the cart over the login`, async () => {
    const { page, complaints, leave } = await visitor(shop, look)
    await page.goto('/')
    await fillCart(page)
    await page.goto('/register')
    await cart(page, '1 item').waitFor()
    const name = `ada-${Date.now()}`
    await page.getByLabel('E-mail').fill(`${name}@prost.example`)
    await page.getByLabel('Name').fill(name)
    await page.getByLabel('Password').fill('correct-horse')
    await page.getByRole('button', { name: 'Open an account' }).click()
    await account(page).waitFor()
    await cart(page, '1 item').waitFor()
    assert.equal(await page.evaluate(() => globalThis.localStorage.getItem('prost.cart')), null)
    await page.reload()
    await cart(page, '1 item').waitFor()
    assert.deepEqual(complaints, [])
    await leave()
  })
}

test('what a guest chose joins what waits in the account, at the login', async () => {
  const { page, complaints, leave } = await visitor(shop)
  await page.goto('/')
  const { products } = await ask(page, '{ products(first: 2, sort: NAME, filter: { inStock: true }) { edges { node { id name } } } }')
  const [waiting, chosen] = products.edges.map(({ node }) => node)
  const email = `ada-${randomUUID()}@prost.example`
  const token = await becomeCustomer(page, email)
  await fillCart(page, { product: waiting, token })
  await page.context().clearCookies()
  await page.reload()
  await page.getByRole('link', { name: 'Log in' }).waitFor()
  await fillCart(page, { product: chosen })
  await page.goto('/login?next=/cart')
  await cart(page, '1 item').waitFor()
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill('correct-horse')
  await page.getByRole('main').getByRole('button', { name: 'Log in', exact: true }).click()
  await cart(page, '2 items').waitFor()
  for (const { name } of [waiting, chosen]) await page.getByRole('spinbutton', { name: `Quantity of ${name}` }).waitFor()
  assert.deepEqual(complaints, [])
  await leave()
})

test('a reload keeps the login, and no token lies in storage', async () => {
  const { page, leave } = await visitor(shop)
  await newCustomer(page)
  await page.goto('/account')
  await page.getByRole('heading', { name: 'Your account' }).waitFor()
  const stored = await page.evaluate(() => JSON.stringify({ ...globalThis.localStorage, ...globalThis.sessionStorage }))
  assert.doesNotMatch(stored, /eyJ|token/)
  assert.equal(await page.evaluate(() => globalThis.document.cookie), '')
  await leave()
})

test('two tabs are logged in and out together', async () => {
  const { page, context, leave } = await visitor(shop)
  await newCustomer(page)
  const other = await context.newPage()
  await other.goto('/account')
  await other.getByRole('heading', { name: 'Your account' }).waitFor()
  await account(page).click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  await page.getByRole('link', { name: 'Log in' }).waitFor()
  await other.getByRole('heading', { name: 'Log in' }).waitFor()
  await page.reload()
  await page.getByRole('link', { name: 'Log in' }).waitFor()
  await leave()
})

test('lines are changed, taken out and put back, and tell of new prices', async () => {
  const { page, complaints, leave } = await visitor(shop)
  await page.goto('/')
  const product = await anyProduct(page)
  await fillCart(page, { product })
  await page.goto('/cart')
  const quantity = page.getByRole('spinbutton', { name: `Quantity of ${product.name}` })
  await page.getByRole('button', { name: 'One more' }).click({ clickCount: 3 })
  await cart(page, '4 items').waitFor()
  await page.getByRole('button', { name: `Remove ${product.name}` }).click()
  await cart(page, 'empty').waitFor()
  const undo = page.getByRole('button', { name: 'Put it back' })
  await undo.waitFor()
  await page.keyboard.press('Enter')
  await cart(page, '4 items').waitFor()
  assert.equal(await quantity.inputValue(), '4')

  const admin = await adminToken(page)
  const { product: before } = await ask(page, 'query ($id: ID!) { product(id: $id) { price { amount currencyCode } } }', {
    id: product.id,
  })
  const setPrice = (price) =>
    ask(
      page,
      'mutation ($input: UpdateProductInput!) { updateProduct(input: $input) { product { id } } }',
      { input: { id: product.id, price } },
      admin,
    )
  await setPrice({ ...before.price, amount: '1.11' })
  await page.reload()
  await page.getByText('The price has changed.').waitFor()
  await page.getByRole('button', { name: 'Go on with the new price' }).click()
  await page.getByText('Each €1.11').waitFor()
  await cart(page, '4 items').waitFor()
  await setPrice(before.price)
  assert.deepEqual(complaints, [])
  await leave()
})

test('the profile is changed, the data taken along, the account closed', async () => {
  const { page, leave } = await visitor(shop)
  await newCustomer(page)
  await page.goto('/account')
  const name = `grace-${Date.now()}`
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()

  await page.getByLabel('Present password').fill('wrong-password')
  await page.getByLabel('New password').fill('correct-horse-2')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('This is not your present password.').waitFor()
  await page.getByLabel('Present password').fill('correct-horse')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('Changed.').waitFor()

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ])
  assert.match(await readFile(await download.path(), 'utf8'), new RegExp(name))

  await page.getByRole('button', { name: 'Delete account' }).click()
  const dialog = page.getByRole('dialog')
  const confirm = dialog.getByRole('button', { name: 'Delete for good' })
  assert.equal(await confirm.isDisabled(), true)
  await dialog.getByLabel(/^Type/).fill(await page.getByLabel('E-mail').inputValue())
  await dialog.getByLabel('Password').fill('correct-horse-2')
  await confirm.click()
  await page.getByRole('link', { name: 'Log in' }).waitFor()
  await leave()
})
