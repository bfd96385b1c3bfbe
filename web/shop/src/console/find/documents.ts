import { graphql } from '@/graphql/tada'
import { OrderRowFields } from '../orders/documents'

export const FindQuery = graphql(
  `
    query Find($text: String!) {
      search(text: $text) {
        orders {
          ...OrderRowFields
        }
        users {
          id
          email
          username
          role
        }
        deadLetters {
          items {
            id
            service
            queue
            eventType
            eventId
            reason
            deadAt
          }
          total
        }
        unsentEvents {
          eventId
          service
          eventType
          failed
          recordedAt
        }
      }
    }
  `,
  [OrderRowFields],
)
