import { flushPromises } from '@vue/test-utils'
import { expect, it } from 'vitest'
import { createI18n } from 'vue-i18n'
import { onTestPage } from '@/graphql/onTestPage'
import { useImport } from './useImport'

const i18n = createI18n({ legacy: false, locale: 'en' })
const list = new File(['sku,name,price,category\nCOF-9,Espresso,9.50,Coffee\nCOF-1,Filter,8.00,Coffee'], 'list.csv')

const product = (sku: string) => ({
  node: {
    id: sku,
    sku,
    name: 'Filter',
    price: { amount: '8.00', currencyCode: 'EUR' },
    description: null,
    images: [],
    category: { id: 'c2', name: 'Coffee' },
  },
})

/** The second of two pages of products. */
const LAST_PAGE = 'behind-the-first'

/** The import's page, in front of a shop whose categories take until `tell` is called with them. */
function importing() {
  let tell: (categories: { id: string; name: string }[]) => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  const categories = new Promise((resolve, reject) => ([tell, fail] = [resolve, reject]))
  const { used } = onTestPage(
    useImport,
    async ({ operationName, variables }) => {
      if (operationName === 'CategoryTable') return { categories: await categories }
      const isLast = variables.after === LAST_PAGE
      const pageInfo = { hasNextPage: !isLast, endCursor: isLast ? null : LAST_PAGE }
      return { products: { edges: [product(isLast ? 'COF-1' : 'COF-0')], pageInfo } }
    },
    [i18n],
  )
  return { ...used, tell, fail }
}

it('a list is compared with all products and categories, however late they come', async () => {
  const { read, plan, state, tell } = importing()
  const reading = read(list)
  await flushPromises()
  expect([state.value, plan.value]).toEqual(['reading', null])
  tell([{ id: 'c2', name: 'Coffee' }])
  await reading
  expect(state.value).toBe('planned')
  expect(plan.value?.lines.map(({ outcome, errors, form }) => [outcome, errors, form.categoryId])).toEqual([
    ['create', [], 'c2'],
    ['same', [], 'c2'],
  ])
})

it('a list is not judged by categories that could not be read', async () => {
  const { read, plan, state, isUnreachable, fail } = importing()
  const reading = read(list)
  fail(new TypeError('the connection was lost'))
  await reading
  expect([state.value, plan.value, isUnreachable.value]).toEqual(['empty', null, true])
})
