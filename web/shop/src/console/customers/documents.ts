import { graphql } from '@/graphql/tada'
import { OrderRowFields } from '../orders/documents'

export const CustomerFields = graphql(`
  fragment CustomerFields on User @_unmask {
    id
    email
    username
    role
    createdAt
  }
`)

export const CustomersQuery = graphql(
  `
    query Customers($first: Int!, $after: String, $q: String, $role: Role) {
      users(first: $first, after: $after, q: $q, role: $role) {
        edges {
          node {
            ...CustomerFields
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [CustomerFields],
)

export const CustomerQuery = graphql(
  `
    query Customer($id: ID!, $first: Int!, $after: String) {
      user(id: $id) {
        ...CustomerFields
        orders(first: $first, after: $after) {
          edges {
            node {
              ...OrderRowFields
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  `,
  [CustomerFields, OrderRowFields],
)

export const SetRoleMutation = graphql(
  `
    mutation SetUserRole($input: SetUserRoleInput!) {
      setUserRole(input: $input) {
        user {
          ...CustomerFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [CustomerFields],
)
