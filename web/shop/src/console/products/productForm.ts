import type { ResultOf, VariablesOf } from '@/graphql/tada'
import type { CreateProductMutation, ProductFormFields, UpdateProductMutation } from './documents'

export type Product = ResultOf<typeof ProductFormFields>
type CreateInput = VariablesOf<typeof CreateProductMutation>['input']
type UpdateInput = VariablesOf<typeof UpdateProductMutation>['input']

/** A product as it stands in the form: everything is text, as it is typed. */
export interface ProductForm {
  name: string
  sku: string
  price: string
  currencyCode: string
  description: string
  categoryId: string
  images: string[]
}

/** What the form's rules are about; the server has the last word. */
export type Problem = { name: keyof ProductForm | 'stockQuantity'; problem: string }

const PRICE = /^\d{1,9}([.,]\d{1,2})?$/
const SKU = /^[A-Za-z0-9._-]{1,64}$/
const LONGEST_NAME = 200
const MOST_PICTURES = 9

export function emptyForm(): ProductForm {
  return { name: '', sku: '', price: '', currencyCode: 'EUR', description: '', categoryId: '', images: [] }
}

export function formOf(product: Product): ProductForm {
  return {
    name: product.name,
    sku: product.sku,
    price: product.price.amount,
    currencyCode: product.price.currencyCode,
    description: product.description ?? '',
    categoryId: product.category?.id ?? '',
    images: [...product.images],
  }
}

/** What is wrong with a form, each beside its field; keys of texts. */
export function problemsOf(form: ProductForm): Problem[] {
  const problems: (Problem | false)[] = [
    form.name.trim() === '' && { name: 'name', problem: 'required' },
    form.name.trim().length > LONGEST_NAME && { name: 'name', problem: 'tooLong' },
    !SKU.test(form.sku.trim()) && { name: 'sku', problem: form.sku.trim() === '' ? 'required' : 'sku' },
    !PRICE.test(form.price.trim()) && { name: 'price', problem: 'price' },
    form.images.length > MOST_PICTURES && { name: 'images', problem: 'images' },
  ]
  return problems.filter((problem) => problem !== false)
}

const amount = (price: string) => price.trim().replace(',', '.')

/** Two prices are one if they are as much: 4.5 and 4.50. */
const canonical = (price: string) => {
  const [whole = '', fraction = ''] = amount(price).split('.')
  return `${whole.replace(/^0+(?=\d)/, '')}.${fraction.padEnd(2, '0')}`
}

export function toCreateInput(form: ProductForm, stockQuantity: number): CreateInput {
  const [imageUrl, ...images] = form.images
  return {
    name: form.name.trim(),
    sku: form.sku.trim(),
    price: { amount: amount(form.price), currencyCode: form.currencyCode },
    description: form.description.trim() || null,
    categoryId: form.categoryId || null,
    imageUrl: imageUrl ?? null,
    images,
    stockQuantity,
  }
}

/** The fields in which a form differs from what it began with. */
export function changedFields(form: ProductForm, original: ProductForm): (keyof ProductForm)[] {
  const isSame: Record<keyof ProductForm, boolean> = {
    name: form.name.trim() === original.name,
    sku: form.sku.trim() === original.sku,
    price: canonical(form.price) === canonical(original.price),
    currencyCode: form.currencyCode === original.currencyCode,
    description: form.description.trim() === original.description,
    categoryId: form.categoryId === original.categoryId,
    images: form.images.join('\n') === original.images.join('\n'),
  }
  return (Object.keys(isSame) as (keyof ProductForm)[]).filter((field) => !isSame[field])
}

/** Only what was changed goes to the server, together with the version that was read. */
export function toUpdateInput(id: string, form: ProductForm, original: ProductForm, version: number): UpdateInput {
  const changed = new Set(changedFields(form, original))
  const [imageUrl, ...images] = form.images
  const isPriced = changed.has('price') || changed.has('currencyCode')
  return {
    id,
    expectedVersion: version,
    ...(changed.has('name') && { name: form.name.trim() }),
    ...(changed.has('sku') && { sku: form.sku.trim() }),
    ...(isPriced && { price: { amount: amount(form.price), currencyCode: form.currencyCode } }),
    ...(changed.has('description') && { description: form.description.trim() || null }),
    ...(changed.has('categoryId') && { categoryId: form.categoryId || null }),
    ...(changed.has('images') && { imageUrl: imageUrl ?? null, images }),
  }
}

/** Somebody else was faster: what they changed, and what of it this form changes, too. */
export function conflictOf(form: ProductForm, original: ProductForm, theirs: ProductForm) {
  const mine = new Set(changedFields(form, original))
  const changedByThem = changedFields(theirs, original)
  return {
    theirs: changedByThem,
    both: changedByThem.filter((field) => mine.has(field) && changedFields(form, theirs).includes(field)),
  }
}

/** Their version, with what was changed here on top. */
export function mergeOnto(form: ProductForm, original: ProductForm, theirs: ProductForm): ProductForm {
  const mine = changedFields(form, original)
  return { ...theirs, ...Object.fromEntries(mine.map((field) => [field, form[field]])) }
}
