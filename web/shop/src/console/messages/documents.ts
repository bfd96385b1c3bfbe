import { graphql } from '@/graphql/tada'

export const DeadLettersQuery = graphql(`
  query DeadLetters($first: Int!, $after: String, $queue: String, $about: String) {
    deadLetters(first: $first, after: $after, queue: $queue, about: $about) {
      items {
        id
        service
        queue
        eventId
        eventType
        correlationId
        reason
        attempts
        deadAt
      }
      nextCursor
      total
      unreachable
    }
  }
`)

export const DeadLetterQuery = graphql(`
  query DeadLetter($service: String!, $queue: String!, $id: ID!) {
    deadLetter(service: $service, queue: $queue, id: $id) {
      id
      service
      queue
      eventId
      eventType
      correlationId
      exchange
      routingKey
      reason
      attempts
      deadAt
      body
    }
    operatorActs(about: $id) {
      id
      actedAt
      actor
      action
      reason
      outcome
    }
  }
`)

export const ReplayMutation = graphql(`
  mutation ReplayDeadLetters($input: ReplayDeadLettersInput!) {
    replayDeadLetters(input: $input) {
      handled {
        items {
          id
          service
          queue
        }
        missing
        more
        until
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`)

export const DiscardMutation = graphql(`
  mutation DiscardDeadLetters($input: DiscardDeadLettersInput!) {
    discardDeadLetters(input: $input) {
      handled {
        items {
          id
          service
          queue
        }
        missing
        more
        until
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`)

export const OutboxQuery = graphql(`
  query Outbox($first: Int!, $after: String, $service: String, $status: UnsentStatus) {
    outboxes {
      service
      pending
      oldestAgeS
      failed
      lastError
    }
    outboxEvents(first: $first, after: $after, service: $service, status: $status) {
      items {
        eventId
        service
        eventType
        correlationId
        failed
        attempts
        recordedAt
        lastError
      }
      nextCursor
    }
  }
`)

export const OutboxEventQuery = graphql(`
  query OutboxEvent($service: String!, $eventId: ID!) {
    outboxEvent(service: $service, eventId: $eventId) {
      eventId
      service
      eventType
      exchange
      routingKey
      correlationId
      failed
      attempts
      recordedAt
      nextAttemptAt
      lastError
      body
    }
    operatorActs(about: $eventId) {
      id
      actedAt
      actor
      action
      reason
      outcome
    }
  }
`)

export const RetryOutboxMutation = graphql(`
  mutation RetryOutboxEvent($input: RetryOutboxEventInput!) {
    retryOutboxEvent(input: $input) {
      event {
        eventId
        failed
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`)

export const DiscardOutboxMutation = graphql(`
  mutation DiscardOutboxEvent($input: DiscardOutboxEventInput!) {
    discardOutboxEvent(input: $input) {
      event {
        eventId
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`)

export const ActsQuery = graphql(`
  query OperatorActs($first: Int!, $after: ID) {
    operatorActs(first: $first, after: $after) {
      id
      service
      actedAt
      actor
      action
      subjectId
      queue
      eventId
      reason
      outcome
    }
  }
`)
