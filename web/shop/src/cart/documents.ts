import { graphql } from '@/graphql/tada'

export const CartFields = graphql(`
  fragment CartFields on Cart @_unmask {
    id
    status
    itemCount
    total {
      amount
      currencyCode
    }
    items {
      id
      name
      quantity
      unitPrice {
        amount
        currencyCode
      }
      lineTotal {
        amount
        currencyCode
      }
      product {
        id
        imageUrl
        stockQuantity
        inStock
        price {
          amount
          currencyCode
        }
      }
    }
  }
`)

/** A guest's cart is known by its id, an account has its latest active one. */
export const CurrentCartQuery = graphql(
  `
    query CurrentCart($id: ID!, $isGuest: Boolean!) {
      cart(id: $id) @include(if: $isGuest) {
        ...CartFields
      }
      me @skip(if: $isGuest) {
        id
        cart {
          ...CartFields
        }
      }
    }
  `,
  [CartFields],
)

export const AddToCartMutation = graphql(
  `
    mutation AddToCart($input: AddToCartInput!) {
      addToCart(input: $input) {
        cart {
          ...CartFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [CartFields],
)

export const UpdateCartItemMutation = graphql(
  `
    mutation UpdateCartItem($input: UpdateCartItemInput!) {
      updateCartItem(input: $input) {
        cart {
          ...CartFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [CartFields],
)

export const RemoveFromCartMutation = graphql(
  `
    mutation RemoveFromCart($input: RemoveFromCartInput!) {
      removeFromCart(input: $input) {
        cart {
          ...CartFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [CartFields],
)
