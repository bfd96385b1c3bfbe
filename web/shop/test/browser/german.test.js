// The shop in its other language: a whole purchase, refusals, and what the visitor chose over a reload.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ADDRESS, becomeCustomer, fillCart } from '../shopper.js'
import { logInAsOperator } from './operator.js'
import { openShop, visitor } from './shop.js'

let shop
before(async () => (shop = await openShop()))
after(() => shop?.close())

const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor()
const language = (page) => page.evaluate(() => globalThis.document.documentElement.lang)
const titled = (page, title) => page.waitForFunction((expected) => document.title === expected, title)
const isDark = (page) => page.evaluate(() => globalThis.document.documentElement.classList.contains('dark'))

test('whose browser speaks German buys in German', async () => {
  const { page, complaints, leave } = await visitor(shop, { locale: 'de-DE' })
  await page.goto('/')
  assert.equal(await language(page), 'de')
  await fillCart(page, { token: await becomeCustomer(page) })
  await page.goto('/checkout')
  await heading(page, 'Wohin geht es?')
  await page.getByRole('button', { name: 'Weiter zur Zahlung' }).click()
  await page.getByLabel('Vor- und Nachname').and(page.locator('[aria-invalid="true"]')).waitFor()
  await page.getByLabel('Vor- und Nachname').fill(ADDRESS.fullName)
  await page.getByLabel('Straße und Hausnummer').fill(ADDRESS.line1)
  await page.getByLabel('PLZ').fill(ADDRESS.postalCode)
  await page.getByRole('textbox', { name: 'Ort' }).fill(ADDRESS.city)
  assert.equal(await page.getByRole('combobox', { name: 'Land' }).locator('option:checked').textContent(), 'Deutschland')
  await page.getByRole('button', { name: 'Weiter zur Zahlung' }).click()
  await page.getByRole('radio', { name: 'Visa, endet auf 4242' }).click()
  await page.getByRole('button', { name: 'Weiter zur Prüfung' }).click()
  await heading(page, 'Alles, wie Sie es möchten?')
  await page.getByRole('button', { name: /^Zahlungspflichtig bestellen, \d+,\d\d\s€$/ }).click()
  await heading(page, 'Es gehört Ihnen')
  await page.getByText('Was geschah, Dienst für Dienst').click()
  assert.deepEqual(complaints, [])
  await leave()
})

test('the catalogue’s English is said to be English, in German only', async () => {
  const { page, leave } = await visitor(shop, { locale: 'de-DE' })
  await page.goto('/products?q=kabinett')
  await page.getByRole('main').getByRole('article').first().waitFor()
  const unmarked = () => page.getByRole('main').getByRole('heading', { level: 3 }).and(page.locator(':not([lang])')).count()
  assert.equal(await unmarked(), 0)
  await page.getByRole('main').getByRole('link', { name: /Kabinett/ }).first().click()
  await page.locator('h1[lang=en]').waitFor()
  await page.getByRole('button', { name: 'English' }).click()
  await page.locator('h1:not([lang])').waitFor()
  assert.equal(await page.locator('main [lang], footer [lang]').count(), 0)
  await leave()
})

test('the departments of the catalogue have German names', async () => {
  const { page, leave } = await visitor(shop, { locale: 'de-DE' })
  await page.goto('/products')
  const departments = page.getByRole('navigation', { name: 'Abteilungen' })
  await departments.getByRole('link', { name: /^Kaffee/ }).first().click()
  await heading(page, 'Kaffee')
  await titled(page, 'Kaffee · Prost')
  await page.getByText('Bohnen von Farmen, die wir beim Namen kennen').waitFor()
  assert.equal(await page.locator('nav [lang], footer [lang]').count(), 0)
  await page.getByRole('button', { name: 'English' }).click()
  await heading(page, 'Coffee')
  await leave()
})

test('the console tells what is the catalogue’s English', async () => {
  const { page, leave } = await visitor(shop)
  await logInAsOperator(page)
  await page.evaluate(() => localStorage.setItem('prost.locale', 'de'))
  await page.goto('/console/products')
  const table = page.getByRole('table', { name: 'Produkte' })
  await table.locator('a[lang=en]').first().waitFor()
  await table.locator('a[lang=en]').first().click()
  const name = await page.locator('h1[lang=en]').innerText()
  await page.getByRole('button', { name: 'Löschen', exact: true }).click()
  const question = page.getByRole('dialog', { name: `„${name}“ löschen?` })
  assert.equal(await question.getByRole('heading').locator('[lang=en]').innerText(), name)
  await leave()
})

test('searches and refusals are told in German', async () => {
  const { page, leave } = await visitor(shop, { locale: 'de-DE' })
  await page.goto('/products?q=kabinett&max=500', { waitUntil: 'networkidle' })
  await page.getByRole('button', { name: 'Entfernen: „kabinett“' }).waitFor()
  await page.getByRole('button', { name: /^Entfernen: bis 500,00\s€$/ }).waitFor()
  await page.route('**/graphql', (route) => {
    if (!route.request().postData()?.includes('mutation AddToCart')) return route.continue()
    const refusal = { __typename: 'UserError', code: 'CART_FULL', field: null, message: 'a cart holds at most 100 products' }
    return route.fulfill({ json: { data: { addToCart: { __typename: 'CartPayload', cart: null, userErrors: [refusal] } } } })
  })
  await page.getByRole('main').getByRole('link', { name: /Kabinett/ }).first().click()
  await page.getByRole('button', { name: 'In den Korb' }).first().click()
  await page.getByRole('alert').getByText('In den Warenkorb passen höchstens 100').waitFor()
  await leave()
})

test('the language and the theme that were chosen stay over a reload', async () => {
  const { page, leave } = await visitor(shop, { locale: 'de-DE' })
  await page.goto('/')
  await titled(page, 'Gutes zu trinken · Prost')
  await page.getByRole('button', { name: 'English' }).click()
  await titled(page, 'Good things to drink · Prost')
  await page.getByRole('button', { name: 'Deutsch' }).waitFor()
  await page.getByRole('button', { name: 'Switch to the dark appearance' }).click()
  await page.getByRole('button', { name: 'Switch to the light appearance' }).waitFor()
  await page.reload()
  await page.getByRole('button', { name: 'Switch to the light appearance' }).waitFor()
  assert.equal(await language(page), 'en')
  assert.equal(await isDark(page), true)
  await leave()
})
