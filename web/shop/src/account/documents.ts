import { graphql } from '@/graphql/tada'

export const AccountFields = graphql(`
  fragment AccountFields on User @_unmask {
    id
    email
    username
    role
  }
`)

export const LoginMutation = graphql(
  `
    mutation Login($input: LoginUserInput!) {
      loginUser(input: $input) {
        user {
          ...AccountFields
        }
        token
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [AccountFields],
)
