import { describe, expect, it } from 'vitest'
import { changedFields, conflictOf, emptyForm, mergeOnto, problemsOf, toCreateInput, toUpdateInput } from './productForm'
import type { ProductForm } from './productForm'

const riesling: ProductForm = {
  name: 'Riesling Kabinett',
  sku: 'WIN-001',
  price: '12.50',
  currencyCode: 'EUR',
  description: 'Slate and lime.',
  categoryId: 'wine',
  images: ['/images/a.webp', '/images/b.webp'],
}

describe('a product form', () => {
  it('asks for a name, a SKU and a price', () => {
    expect(problemsOf(emptyForm()).map(({ name }) => name)).toEqual(['name', 'sku', 'price'])
    expect(problemsOf(riesling)).toEqual([])
  })

  it.each([
    ['price', { price: '12.505' }],
    ['price', { price: '-1' }],
    ['price', { price: 'cheap' }],
    ['sku', { sku: 'has space' }],
    ['name', { name: 'x'.repeat(201) }],
    ['images', { images: Array.from({ length: 10 }, (_, index) => `/images/${index}`) }],
  ])('finds what is wrong with the %s: %o', (name, changes) => {
    expect(problemsOf({ ...riesling, ...changes }).map((problem) => problem.name)).toEqual([name])
  })

  it('creates with the first picture in front', () => {
    const input = toCreateInput({ ...riesling, price: '12,5' }, 3)
    expect(input).toMatchObject({ imageUrl: '/images/a.webp', images: ['/images/b.webp'], stockQuantity: 3 })
    expect(input.price).toEqual({ amount: '12.5', currencyCode: 'EUR' })
  })

  it('sends what was changed, and no more', () => {
    const input = toUpdateInput('p1', { ...riesling, description: ' ', price: '12,5' }, riesling, 4)
    expect(input).toEqual({ id: 'p1', expectedVersion: 4, description: null })
  })

  it('takes 12,5 and 12.50 for one price', () => {
    expect(changedFields({ ...riesling, price: '12,5' }, riesling)).toEqual([])
    expect(changedFields({ ...riesling, price: '12.51' }, riesling)).toEqual(['price'])
  })
})

describe('when somebody else was faster', () => {
  const mine = { ...riesling, price: '13.00', name: 'Riesling' }
  const theirs = { ...riesling, price: '14.00', description: 'Slate, lime, rain.' }

  it('knows what they changed, and where both did', () => {
    expect(conflictOf(mine, riesling, theirs)).toEqual({ theirs: ['price', 'description'], both: ['price'] })
  })

  it('is no conflict where both wrote the same', () => {
    expect(conflictOf({ ...riesling, price: '14' }, riesling, theirs).both).toEqual([])
  })

  it('puts what was changed here on top of theirs', () => {
    expect(mergeOnto(mine, riesling, theirs)).toEqual({ ...theirs, name: 'Riesling', price: '13.00' })
  })
})
