import { createRequest } from '@urql/core'
import type { SSRData } from '@urql/core'
import { takeAnswers } from '@/graphql/headStart'
import { CategoriesQuery, HomeQuery, ProductQuery, ProductsQuery } from './documents'

const DOCUMENTS = { Home: HomeQuery, Products: ProductsQuery, Product: ProductQuery, Categories: CategoriesQuery }
const isKnown = (name: string): name is keyof typeof DOCUMENTS => name in DOCUMENTS

/** What was asked ahead and is here already, by the key of the page's own request. */
export function firstAnswers(): SSRData {
  const answers = takeAnswers().flatMap(({ question: { operationName, variables }, data }) =>
    isKnown(operationName) ? [{ key: createRequest(DOCUMENTS[operationName], variables as never).key, data }] : [],
  )
  return Object.fromEntries(answers.map(({ key, data }) => [key, { data: JSON.stringify(data) }]))
}
