import { OrderProgressFields } from '@/orders/documents'
import { graphql } from '@/graphql/tada'

export const DemoQuery = graphql(`
  query Demo {
    demo {
      logins {
        email
        password
        role
      }
    }
  }
`)

export const CandidatesQuery = graphql(`
  query Candidates {
    products(first: 24, filter: { inStock: true }) {
      edges {
        node {
          id
          name
          stockQuantity
        }
      }
    }
  }
`)

export const StockQuery = graphql(`
  query Stock($id: ID!) {
    product(id: $id) {
      id
      stockQuantity
    }
  }
`)

export const NewBuyerMutation = graphql(`
  mutation NewBuyer($input: RegisterUserInput!) {
    registerUser(input: $input) {
      token
      userErrors {
        code
      }
    }
  }
`)

export const AdminLoginMutation = graphql(`
  mutation AdminLogin($input: LoginUserInput!) {
    loginUser(input: $input) {
      token
      userErrors {
        code
      }
    }
  }
`)

export const FillCartMutation = graphql(`
  mutation FillCart($input: AddToCartInput!) {
    addToCart(input: $input) {
      cart {
        id
      }
      userErrors {
        code
      }
    }
  }
`)

export const PlaceOrderMutation = graphql(`
  mutation PlaceOrder($input: CheckoutInput!) {
    checkout(input: $input) {
      order {
        id
      }
      userErrors {
        code
      }
    }
  }
`)

export const FollowQuery = graphql(
  `
    query Follow($id: ID!) {
      order(id: $id) {
        ...OrderProgressFields
      }
    }
  `,
  [OrderProgressFields],
)

export const AdjustStockMutation = graphql(`
  mutation AdjustStock($input: AdjustStockInput!) {
    adjustStock(input: $input) {
      product {
        id
        stockQuantity
      }
      userErrors {
        code
      }
    }
  }
`)

export const SendPoisonMutation = graphql(`
  mutation SendPoison {
    sendPoisonMessage(input: {}) {
      queues
      eventId
      userErrors {
        code
      }
    }
  }
`)

export const PoisonedQuery = graphql(`
  query Poisoned($about: String!) {
    deadLetters(first: 5, about: $about) {
      items {
        id
        service
        queue
        reason
        attempts
      }
    }
  }
`)
