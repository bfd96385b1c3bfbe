import { describe, expect, it } from 'vitest'
import { planImport, toCsv } from './csv'
import type { Product } from './productForm'

const categories = [
  { id: 'c1', name: 'White wine' },
  { id: 'c2', name: 'Coffee' },
]

const riesling: Product = {
  id: 'p1',
  name: 'Riesling "Alte Reben", dry',
  sku: 'WIN-001',
  price: { amount: '12.50', currencyCode: 'EUR' },
  stockQuantity: 7,
  imageUrl: '/images/a.webp',
  images: ['/images/a.webp', '/images/b.webp'],
  description: 'Slate;\nlime.',
  version: 3,
  updatedAt: '2026-11-20T09:00:00Z',
  category: { id: 'c1', name: 'White wine' },
}

const plan = (text: string, products = [riesling]) => planImport(text, { products, categories })
const outcomes = (text: string) => plan(text).lines.map((line) => line.outcome)

describe('a list of products', () => {
  it('comes back as it went out', () => {
    expect(outcomes(toCsv([riesling]))).toEqual(['same'])
  })

  it('comes back even where a spreadsheet would see a formula', () => {
    const odd = { ...riesling, name: '=SUM(A1)', description: '-5 degrees' }
    const text = toCsv([odd])
    expect(text).not.toMatch(/(^|,)"?=SUM/m)
    expect(plan(text, [odd]).lines[0]?.outcome).toBe('same')
  })

  it('tells what is new, what changes and what stays', () => {
    const text = ['sku,name,price,stock', 'WIN-001,Riesling,12.50,7', 'COF-9,Espresso,9.00,20', 'WIN-001,x,1,1'].join('\n')
    const { lines } = plan(text)
    expect(lines.map(({ outcome, number }) => [number, outcome])).toEqual([
      [2, 'update'],
      [3, 'create'],
      [4, 'error'],
    ])
    expect(lines[0]?.changes).toEqual(['name'])
    expect(lines[2]?.errors).toEqual([{ problem: 'twice', value: 'WIN-001' }])
  })

  it('leaves alone what has no column, and empties what has an empty cell', () => {
    expect(outcomes('sku\nWIN-001')).toEqual(['same'])
    expect(plan('sku,description\nWIN-001,').lines[0]?.changes).toEqual(['description'])
  })

  it('reads what a German spreadsheet writes', () => {
    const { lines } = plan('\uFEFFSKU;Name;Price;Category\r\nCOF-9;Espresso;9,50;coffee\r\n')
    expect(lines[0]).toMatchObject({ outcome: 'create', form: { price: '9,50', categoryId: 'c2' } })
  })

  it('changes the stock only where it differs', () => {
    expect(plan('sku,stock\nWIN-001,9').lines[0]).toMatchObject({ changes: ['stockQuantity'], stockQuantity: 9 })
    expect(outcomes('sku,stock\nWIN-001,7')).toEqual(['same'])
  })

  it.each([
    ['sku,name,price\nNEW-1,,1.00', 'name_required'],
    ['sku,name,price\nNEW-1,Tea,free', 'price_price'],
    ['sku,name,price\nbad sku,Tea,1.00', 'sku_sku'],
    ['sku,name,price,category\nNEW-1,Tea,1.00,Cheese', 'category'],
    ['sku,name,price,stock\nNEW-1,Tea,1.00,-3', 'stock'],
    ['sku,name,price\nNEW-1,Tea', 'ragged'],
  ])('finds the mistake in %j', (text, problem) => {
    const [line] = plan(text).lines
    expect(line?.outcome).toBe('error')
    expect(line?.errors.map((error) => error.problem)).toContain(problem)
  })

  it('is refused as a whole without a column of SKUs, or without lines', () => {
    expect(plan('name,price\nTea,1.00').fault).toBe('noSku')
    expect(plan('sku,name\n').fault).toBe('empty')
  })
})
