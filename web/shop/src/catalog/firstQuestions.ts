import type { ResultOf } from '@/graphql/tada'
import type { Question } from '@/graphql/headStart'
import { FIRST_QUERIES } from '@/graphql/generated/firstQueries'
import type { HomeQuery, ProductQuery, ProductsQuery } from './documents'
import { readListState, toVariables } from './listState'
import { FIRST_ROW } from './screen'
import { heroProducts, SHELVES } from './shelves'

/** What a page will ask the gateway, and which pictures of the answer are seen first. */
export interface FirstQuestion extends Question {
  operationName: keyof typeof FIRST_QUERIES
  pictures: (data: unknown) => string[]
}

type Picture = { imageUrl: string | null }

/**
 * What a page of the catalogue asks first, as far as its address tells. The page itself asks the very same a moment
 * later: `firstQuestions.test.ts` holds the two together.
 */
export function firstQuestions({ pathname, search }: Pick<Location, 'pathname' | 'search'>): FirstQuestion[] {
  if (pathname === '/') return [question('Home', SHELVES, picturesOfHome)]
  if (pathname === '/products') {
    const state = readListState(Object.fromEntries(new URLSearchParams(search)))
    return [question('Products', toVariables(state), picturesOfList), question('Categories', undefined, () => [])]
  }
  const id = /^\/products\/([0-9a-f-]{36})$/.exec(pathname)?.[1]
  return id ? [question('Product', { id }, picturesOfProduct)] : []
}

function question<Data>(
  operationName: keyof typeof FIRST_QUERIES,
  variables: object | undefined,
  pictures: (data: Data) => (string | null | undefined)[],
): FirstQuestion {
  return {
    operationName,
    query: FIRST_QUERIES[operationName],
    variables,
    pictures: (data) => pictures(data as Data).filter((picture) => typeof picture === 'string'),
  }
}

const urls = (products: readonly Picture[]) => products.map(({ imageUrl }) => imageUrl)
const nodes = ({ edges }: { edges: readonly { node: Picture }[] }) => edges.map(({ node }) => node)

const picturesOfHome = ({ evening, morning }: ResultOf<typeof HomeQuery>) =>
  urls(heroProducts(nodes(evening), nodes(morning)))
const picturesOfList = ({ products }: ResultOf<typeof ProductsQuery>) => urls(nodes(products).slice(0, FIRST_ROW))
const picturesOfProduct = ({ product }: ResultOf<typeof ProductQuery>) => [product?.images[0]]
