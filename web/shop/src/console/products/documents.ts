import { graphql } from '@/graphql/tada'

export const ProductRowFields = graphql(`
  fragment ProductRowFields on Product @_unmask {
    id
    name
    sku
    price {
      amount
      currencyCode
    }
    stockQuantity
    imageUrl
    updatedAt
    category {
      id
      name
    }
  }
`)

export const ProductFormFields = graphql(
  `
    fragment ProductFormFields on Product @_unmask {
      ...ProductRowFields
      description
      images
      version
    }
  `,
  [ProductRowFields],
)

export const ProductTableQuery = graphql(
  `
    query ProductTable($first: Int!, $after: String, $filter: ProductFilter, $sort: ProductSort) {
      products(first: $first, after: $after, filter: $filter, sort: $sort) {
        edges {
          node {
            ...ProductRowFields
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
        totalCount
        totalCountIsExact
      }
    }
  `,
  [ProductRowFields],
)

export const ProductFormQuery = graphql(
  `
    query ProductForm($id: ID!) {
      product(id: $id) {
        ...ProductFormFields
      }
    }
  `,
  [ProductFormFields],
)

export const StockHistoryQuery = graphql(`
  query StockHistory($id: ID!, $first: Int!, $after: String) {
    product(id: $id) {
      id
      stockQuantity
      stockHistory(first: $first, after: $after) {
        edges {
          node {
            id
            change
            stockQuantity
            reason
            actor
            at
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)

/** Products with all that an export or an import needs. */
export const ExportQuery = graphql(
  `
    query ProductExport($after: String, $filter: ProductFilter) {
      products(first: 100, after: $after, filter: $filter, sort: NAME) {
        edges {
          node {
            ...ProductFormFields
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [ProductFormFields],
)

export const CreateProductMutation = graphql(
  `
    mutation CreateProduct($input: CreateProductInput!) {
      createProduct(input: $input) {
        product {
          ...ProductFormFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [ProductFormFields],
)

export const UpdateProductMutation = graphql(
  `
    mutation UpdateProduct($input: UpdateProductInput!) {
      updateProduct(input: $input) {
        product {
          ...ProductFormFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [ProductFormFields],
)

export const DeleteProductMutation = graphql(`
  mutation DeleteProduct($input: DeleteProductInput!) {
    deleteProduct(input: $input) {
      product {
        id
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`)

export const AdjustStockMutation = graphql(`
  mutation AdjustStock($input: AdjustStockInput!) {
    adjustStock(input: $input) {
      product {
        id
        stockQuantity
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`)

export const CategoryTableQuery = graphql(`
  query CategoryTable {
    categories {
      id
      name
      description
      products(first: 0) {
        totalCount
      }
    }
  }
`)

export const CreateCategoryMutation = graphql(`
  mutation CreateCategory($input: CreateCategoryInput!) {
    createCategory(input: $input) {
      category {
        id
        name
        description
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`)
export const UploadPictureMutation = graphql(`
  mutation UploadPicture($input: UploadPictureInput!) {
    uploadPicture(input: $input) {
      url
      userErrors {
        code
        field
        message
      }
    }
  }
`)

