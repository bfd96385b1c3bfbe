// Who may see what: pages that need an account lead to the login and back again.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openShop, visitor } from './shop.js'

let shop
before(async () => (shop = await openShop()))
after(() => shop?.close())

test('the console leads through the login', async () => {
  const { page, complaints, leave } = await visitor(shop)
  await page.goto('/console')
  await page.getByLabel('E-mail').fill('admin@prost.example')
  await page.getByLabel('Password').fill('admin-password')
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  assert.deepEqual(complaints, [])
  await leave()
})

test('a wrong password says so', async () => {
  const { page, leave } = await visitor(shop)
  await page.goto('/login')
  await page.getByLabel('E-mail').fill('demo@prost.example')
  await page.getByLabel('Password').fill('wrong-password')
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').waitFor()
  await leave()
})
