import { graphql } from '@/graphql/tada'

export const AddressFields = graphql(`
  fragment AddressFields on Address @_unmask {
    fullName
    line1
    line2
    city
    postalCode
    countryCode
    phone
  }
`)

/** Where the last order went: the next one often goes there, too. */
export const LastAddressQuery = graphql(
  `
    query LastAddress {
      me {
        id
        orders(first: 1) {
          edges {
            node {
              id
              shippingAddress {
                ...AddressFields
              }
            }
          }
        }
      }
    }
  `,
  [AddressFields],
)

export const CheckoutMutation = graphql(`
  mutation Checkout($input: CheckoutInput!) {
    checkout(input: $input) {
      order {
        id
        status
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`)
