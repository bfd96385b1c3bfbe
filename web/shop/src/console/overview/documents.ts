import { graphql } from '@/graphql/tada'

export const ReportsQuery = graphql(`
  query Reports($days: Int!) {
    reports {
      salesPerDay(days: $days) {
        day
        orders
        cancelled
        revenue {
          amount
          currencyCode
        }
      }
      topProducts(first: 6, days: $days) {
        productId
        name
        units
        revenue {
          amount
          currencyCode
        }
      }
      checkoutFunnel(days: $days) {
        cartsFilled
        checkouts
        stockReserved
        paid
        confirmed
        shipped
        delivered
      }
      sagaOutcomes(days: $days) {
        outcome
        code
        sagas
        meanDurationMs
      }
    }
  }
`)
