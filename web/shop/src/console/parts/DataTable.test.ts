import { mount } from '@vue/test-utils'
import { expect, it } from 'vitest'
import DataTable from './DataTable.vue'

const columns = [
  { id: 'name', header: 'Name', sorts: ['NAME'] },
  { id: 'category', header: 'Category' },
  { id: 'price', header: 'Price', sorts: ['PRICE_ASC', 'PRICE_DESC'], descending: 'PRICE_DESC' },
]
const rows = [{ sku: 'B' }, { sku: 'A' }]

function table(sorting: string | null) {
  return mount(DataTable<{ sku: string }>, {
    props: { rows, columns, sorting, label: 'Products', rowKey: ({ sku }) => sku, empty: { title: 'None' } },
    slots: { name: ({ row }: { row: { sku: string } }) => row.sku },
    global: { mocks: { $t: (key: string) => key }, stubs: { Icon: true } },
  })
}

it.each([
  [null, ['none', undefined, 'none']],
  ['NAME', ['ascending', undefined, 'none']],
  ['PRICE_ASC', ['none', undefined, 'ascending']],
  ['PRICE_DESC', ['none', undefined, 'descending']],
])('a table sorted by %s says so at its columns, and leaves the rows as the server sorted them', (sorting, expected) => {
  const page = table(sorting)
  expect(page.findAll('th').map((head) => head.attributes('aria-sort'))).toEqual(expected)
  expect(page.findAll('tbody tr').map((row) => row.find('td').text())).toEqual(['B', 'A'])
})

it('goes through the orders of a column as its header is pressed', async () => {
  const page = table('PRICE_ASC')
  const [name, price] = page.findAll('th button')
  await price?.trigger('click')
  await name?.trigger('click')
  expect(page.emitted('sort')).toEqual([['PRICE_DESC'], ['NAME']])
})
