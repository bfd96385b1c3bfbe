import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { VariablesOf } from '@/graphql/tada'
import type { ProductsQuery } from './documents'

export const SORTS = ['RELEVANCE', 'NEWEST', 'NAME', 'PRICE_ASC', 'PRICE_DESC'] as const
export type Sort = (typeof SORTS)[number]

/** What the product list shows. It lives in the URL alone: a link, a reload and the back button keep it. */
export interface ListState {
  q: string
  category: string
  min: string
  max: string
  inStock: boolean
  sort: Sort
  after: string
}

const PER_PAGE = 24
const PRICE = /^\d{1,9}(\.\d{1,2})?$/

export function readListState(query: LocationQuery): ListState {
  const text = (key: string) => (typeof query[key] === 'string' ? query[key].trim() : '')
  const price = (key: string) => (PRICE.test(text(key)) ? text(key) : '')
  const q = text('q')
  const sort = SORTS.find((candidate) => candidate === text('sort').toUpperCase())
  return {
    q,
    category: text('category'),
    min: price('min'),
    max: price('max'),
    inStock: text('stock') === 'in',
    sort: sort && (q || sort !== 'RELEVANCE') ? sort : defaultSort(q),
    after: text('after'),
  }
}

/** The URL's query of a state, without what is the default anyway. */
export function writeListState(state: ListState): LocationQueryRaw {
  const { q, category, min, max, inStock, sort, after } = state
  const query = {
    q,
    category,
    min,
    max,
    stock: inStock ? 'in' : '',
    sort: sort === defaultSort(q) ? '' : sort.toLowerCase(),
    after,
  }
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''))
}

export function toVariables(state: ListState): VariablesOf<typeof ProductsQuery> {
  return {
    first: PER_PAGE,
    after: state.after || null,
    sort: state.sort,
    filter: {
      q: state.q || null,
      categoryId: state.category || null,
      minPrice: state.min || null,
      maxPrice: state.max || null,
      inStock: state.inStock || null,
    },
  }
}

/** A search is sorted by how well it matches, everything else by age. */
export function defaultSort(q: string): Sort {
  return q ? 'RELEVANCE' : 'NEWEST'
}
