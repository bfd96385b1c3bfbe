import { graphql } from '@/graphql/tada'

export const OrderRowFields = graphql(`
  fragment OrderRowFields on Order @_unmask {
    id
    status
    createdAt
    updatedAt
    failureCode
    total {
      amount
      currencyCode
    }
    items {
      name
      quantity
    }
  }
`)

export const OrdersQuery = graphql(
  `
    query ConsoleOrders(
      $first: Int!
      $after: String
      $status: OrderStatus
      $q: String
      $from: DateTime
      $to: DateTime
    ) {
      orders(first: $first, after: $after, status: $status, q: $q, from: $from, to: $to) {
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
  `,
  [OrderRowFields],
)

/** Orders that nobody can move any more but an operator. */
export const StuckQuery = graphql(`
  query StuckSagas($first: Int!, $after: String) {
    sagas(first: $first, after: $after, status: "STUCK") {
      items {
        id
        orderId
        correlationId
        owed
        asked
        createdAt
        updatedAt
      }
      nextCursor
    }
  }
`)

export const SagaFields = graphql(`
  fragment SagaFields on Saga @_unmask {
    id
    orderId
    correlationId
    status
    owed
    asked
    createdAt
    updatedAt
    expiresAt
    customerEmail
    acts {
      id
      actedAt
      actor
      action
      reason
      outcome
    }
    events {
      eventId
      eventType
      service
      aggregateType
      aggregateId
      recordedAt
      published
      publishedAt
      lastError
      causationId
      traceId
      payload
      deliveries {
        service
        queue
        handler
        outcome
        attempts
        handledAt
        delayMs
        lastError
        deadLetterId
      }
    }
  }
`)

export const PaymentFields = graphql(`
  fragment PaymentFields on Payment @_unmask {
    id
    status
    method
    createdAt
    failureCode
    failureReason
    amount {
      amount
      currencyCode
    }
    captured {
      amount
      currencyCode
    }
    refunded {
      amount
      currencyCode
    }
    refunds {
      id
      status
      reason
      createdAt
      amount {
        amount
        currencyCode
      }
    }
  }
`)

export const OrderQuery = graphql(
  `
    query ConsoleOrder($id: ID!) {
      order(id: $id) {
        ...OrderRowFields
        correlationId
        failureReason
        shippedAt
        deliveredAt
        cancellable
        customer {
          id
          email
          username
        }
        payments {
          ...PaymentFields
        }
        items {
          product {
            id
          }
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
        }
        shippingAddress {
          fullName
          line1
          line2
          city
          postalCode
          countryCode
          phone
        }
      }
      saga(id: $id) {
        ...SagaFields
      }
    }
  `,
  [OrderRowFields, SagaFields, PaymentFields],
)

export const CancelOrderMutation = graphql(
  `
    mutation ConsoleCancelOrder($input: CancelOrderInput!) {
      cancelOrder(input: $input) {
        order {
          ...OrderRowFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [OrderRowFields],
)

export const RetrySagaMutation = graphql(`
  mutation RetrySaga($input: RetrySagaInput!) {
    retrySaga(input: $input) {
      saga {
        id
        status
        owed
        asked
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`)

export const ShipOrderMutation = graphql(
  `
    mutation ShipOrder($input: ShipOrderInput!) {
      shipOrder(input: $input) {
        order {
          ...OrderRowFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [OrderRowFields],
)

export const DeliverOrderMutation = graphql(
  `
    mutation DeliverOrder($input: DeliverOrderInput!) {
      deliverOrder(input: $input) {
        order {
          ...OrderRowFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [OrderRowFields],
)

export const RefundPaymentMutation = graphql(
  `
    mutation RefundPayment($input: RefundPaymentInput!) {
      refundPayment(input: $input) {
        payment {
          ...PaymentFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [PaymentFields],
)
