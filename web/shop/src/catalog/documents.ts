import { graphql } from '@/graphql/tada'

/** What a product's card shows. */
export const ProductCardFields = graphql(`
  fragment ProductCardFields on Product @_unmask {
    id
    name
    price {
      amount
      currencyCode
    }
    stockQuantity
    inStock
    imageUrl
    category {
      id
      name
    }
  }
`)

export const CategoriesQuery = graphql(`
  query Categories {
    categories {
      id
      name
      description
    }
  }
`)

export const ProductsQuery = graphql(
  `
    query Products($first: Int!, $after: String, $filter: ProductFilter, $sort: ProductSort) {
      products(first: $first, after: $after, filter: $filter, sort: $sort) {
        edges {
          node {
            ...ProductCardFields
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
        totalCount
        totalCountIsExact
        facets {
          categories {
            category {
              id
              name
            }
            count
          }
          inStock
          minPrice {
            amount
            currencyCode
          }
          maxPrice {
            amount
            currencyCode
          }
        }
      }
    }
  `,
  [ProductCardFields],
)

/** Everything a product's own page shows. */
export const ProductQuery = graphql(
  `
    query Product($id: ID!) {
      product(id: $id) {
        ...ProductCardFields
        description
        sku
        images
        related(first: 4) {
          ...ProductCardFields
        }
      }
    }
  `,
  [ProductCardFields],
)

export const SuggestionsQuery = graphql(`
  query Suggestions($q: String!) {
    suggestions(q: $q, first: 6) {
      id
      name
      price {
        amount
        currencyCode
      }
      imageUrl
      category {
        id
        name
      }
    }
  }
`)

/** The home page in one request: each department with its first products, two shelves, and what is new. */
export const HomeQuery = graphql(
  `
    query Home($evening: String!, $morning: String!) {
      categories {
        id
        name
        description
        products(first: 1) {
          edges {
            node {
              ...ProductCardFields
            }
          }
        }
      }
      evening: products(first: 3, filter: { q: $evening, inStock: true }) {
        edges {
          node {
            ...ProductCardFields
          }
        }
      }
      morning: products(first: 3, filter: { q: $morning, inStock: true }) {
        edges {
          node {
            ...ProductCardFields
          }
        }
      }
      fresh: products(first: 4, sort: NEWEST, filter: { inStock: true }) {
        edges {
          node {
            ...ProductCardFields
          }
        }
      }
    }
  `,
  [ProductCardFields],
)
