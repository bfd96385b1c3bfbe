import { AddressFields } from '@/checkout/documents'
import { graphql } from '@/graphql/tada'

/** What moves while an order is on its way: the subscription tells it anew after every change. */
export const OrderProgressFields = graphql(`
  fragment OrderProgressFields on Order @_unmask {
    id
    status
    cancellable
    failureCode
    failureReason
    updatedAt
    shippedAt
    deliveredAt
    timeline {
      event
      at
      service
      detail
    }
    payments {
      id
      status
      method
      amount {
        amount
        currencyCode
      }
      captured {
        amount
        currencyCode
      }
      refunds {
        id
        status
        createdAt
        amount {
          amount
          currencyCode
        }
      }
    }
  }
`)

export const OrderItemFields = graphql(`
  fragment OrderItemFields on OrderItem @_unmask {
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
    }
  }
`)

export const OrderQuery = graphql(
  `
    query Order($id: ID!) {
      order(id: $id) {
        ...OrderProgressFields
        createdAt
        items {
          ...OrderItemFields
        }
        total {
          amount
          currencyCode
        }
        shippingAddress {
          ...AddressFields
        }
      }
    }
  `,
  [OrderProgressFields, OrderItemFields, AddressFields],
)

export const OrderStatusSubscription = graphql(
  `
    subscription OrderStatus($id: ID!) {
      orderStatus(orderId: $id) {
        ...OrderProgressFields
      }
    }
  `,
  [OrderProgressFields],
)

/** An admin sees everybody's orders, unless asked for those of one address. */
export const OrdersQuery = graphql(
  `
    query Orders($first: Int!, $after: String, $status: OrderStatus, $q: String) {
      orders(first: $first, after: $after, status: $status, q: $q) {
        edges {
          node {
            id
            status
            createdAt
            total {
              amount
              currencyCode
            }
            items {
              ...OrderItemFields
            }
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [OrderItemFields],
)

export const CancelOrderMutation = graphql(
  `
    mutation CancelOrder($input: CancelOrderInput!) {
      cancelOrder(input: $input) {
        order {
          ...OrderProgressFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [OrderProgressFields],
)
