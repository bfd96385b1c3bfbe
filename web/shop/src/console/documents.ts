import { graphql } from '@/graphql/tada'

/** What needs an operator's eye, in numbers: asked again every few seconds while the console is open. */
export const HealthQuery = graphql(`
  query Health {
    queues {
      service
      name
      ready
      inFlight
      delayed
      deadLetters
    }
    outboxes {
      service
      pending
      oldestAgeS
      failed
      lastError
    }
    stuck: sagas(first: 100, status: "STUCK") {
      items {
        id
      }
      nextCursor
    }
  }
`)

/** Who an operator is, by the id that the audit trail keeps. */
export const OperatorQuery = graphql(`
  query Operator($id: ID!) {
    user(id: $id) {
      id
      email
    }
  }
`)
