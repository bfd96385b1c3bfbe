import Papa from 'papaparse'
import type { Product, ProductForm } from './productForm'
import { changedFields, formOf, problemsOf } from './productForm'

/** The columns of a product list, in this order; an import may leave out and reorder all but `sku`. */
export const COLUMNS = ['sku', 'name', 'price', 'currency', 'stock', 'category', 'description', 'images'] as const
type Cells = Partial<Record<(typeof COLUMNS)[number], string>>

const PICTURE_SEPARATOR = ' '
const STOCK = /^\d{1,7}$/

/** What a line of the list comes to. */
export interface Line {
  /** As the file counts, the heading being line 1. */
  number: number
  sku: string
  name: string
  outcome: 'create' | 'update' | 'same' | 'error'
  /** Fields that an update changes. */
  changes: string[]
  /** Keys of texts that say what is wrong, with what they are about. */
  errors: { problem: string; value?: string }[]
  form: ProductForm
  stockQuantity: number | null
  existing: Product | null
}

export interface Plan {
  lines: Line[]
  /** Why the file is no product list at all; key of a text. */
  fault: string | null
}

interface Catalogue {
  products: readonly Product[]
  categories: readonly { id: string; name: string }[]
}

export function toCsv(products: readonly Product[]): string {
  const rows = products.map((product) => [
    product.sku,
    product.name,
    product.price.amount,
    product.price.currencyCode,
    String(product.stockQuantity),
    product.category?.name ?? '',
    product.description ?? '',
    product.images.join(PICTURE_SEPARATOR),
  ])
  // A spreadsheet takes a cell that begins with = for a formula, and runs it.
  return Papa.unparse({ fields: [...COLUMNS], data: rows }, { newline: '\n', escapeFormulae: true })
}

/** Reads a list and says of each line what it would do. Nothing is done. */
export function planImport(text: string, catalogue: Catalogue): Plan {
  const { data, meta, errors } = Papa.parse<Cells>(text.replace(/^\uFEFF/, ''), {
    header: true,
    skipEmptyLines: 'greedy',
    transformHeader: (header) => header.trim().toLowerCase(),
    transform: (cell) => cell.trim().replace(/^'(?=[=+\-@\t\r])/, ''),
  })
  if (!meta.fields?.includes('sku')) return { lines: [], fault: 'noSku' }
  if (data.length === 0) return { lines: [], fault: 'empty' }

  const bySku = new Map(catalogue.products.map((product) => [product.sku, product]))
  const categories = new Map(catalogue.categories.map(({ id, name }) => [name.toLowerCase(), id]))
  const seen = new Set<string>()
  const ragged = new Set(errors.map((error) => error.row))

  const lines = data.map((cells, index) => {
    const line = lineOf(cells, index + 2, bySku.get(cells.sku ?? '') ?? null, categories)
    if (ragged.has(index)) line.errors.unshift({ problem: 'ragged' })
    if (seen.has(line.sku)) line.errors.push({ problem: 'twice', value: line.sku })
    seen.add(line.sku)
    return { ...line, outcome: outcomeOf(line) }
  })
  return { lines, fault: null }
}

function outcomeOf({ errors, existing, changes }: Line): Line['outcome'] {
  if (errors.length > 0) return 'error'
  if (!existing) return 'create'
  return changes.length > 0 ? 'update' : 'same'
}

function lineOf(cells: Cells, number: number, existing: Product | null, categories: Map<string, string>): Line {
  const errors: Line['errors'] = []
  const before = existing ? formOf(existing) : null
  const categoryId = cells.category ? categories.get(cells.category.toLowerCase()) : ''
  if (categoryId === undefined) errors.push({ problem: 'category', value: cells.category ?? '' })

  // A column that the file does not have leaves a product as it is; an empty cell empties the field.
  const form: ProductForm = {
    sku: cells.sku ?? '',
    name: cells.name ?? before?.name ?? '',
    price: cells.price ?? before?.price ?? '',
    currencyCode: (cells.currency || before?.currencyCode || 'EUR').toUpperCase(),
    description: cells.description ?? before?.description ?? '',
    categoryId: cells.category === undefined ? (before?.categoryId ?? '') : (categoryId ?? ''),
    images: cells.images === undefined ? (before?.images ?? []) : cells.images.split(/\s+/).filter(Boolean),
  }
  for (const { name, problem } of problemsOf(form)) errors.push({ problem: `${name}_${problem}` })
  if (cells.stock && !STOCK.test(cells.stock)) errors.push({ problem: 'stock', value: cells.stock })
  const stockQuantity = cells.stock && STOCK.test(cells.stock) ? Number(cells.stock) : null

  const changes: string[] = before ? changedFields(form, before) : []
  if (existing && stockQuantity !== null && stockQuantity !== existing.stockQuantity) changes.push('stockQuantity')
  return { number, sku: form.sku, name: form.name, outcome: 'same', changes, errors, form, stockQuantity, existing }
}
