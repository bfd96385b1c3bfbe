import { cacheExchange } from '@urql/exchange-graphcache'
import type { Resolver } from '@urql/exchange-graphcache'
import { EMBEDDED_TYPES } from './generated/embedded'

/** Finds what was read anywhere by its id, unless the server has said that there is none. */
function byId(type: string): Resolver {
  return (_, args, cache, info) => {
    const isKnownToBeGone = cache.resolve('Query', info.fieldName, args) === null
    return isKnownToBeGone ? null : { __typename: type, id: args.id as string }
  }
}

/**
 * What was read, by type and id: a mutation or a subscription that answers a cart or an order changes it wherever it is
 * shown. Pages ask with `cache-and-network` where others change the data too.
 */
export function createCache() {
  return cacheExchange({
    keys: Object.fromEntries(EMBEDDED_TYPES.map((name) => [name, () => null])),
    resolvers: {
      Query: {
        // A page that is known from a list shows at once, and is completed by its own answer.
        product: byId('Product'),
        order: byId('Order'),
        cart: byId('Cart'),
      },
    },
    updates: {
      Mutation: {
        // A new order belongs into every list of orders.
        checkout: (_, __, cache) => cache.invalidate('Query', 'orders'),
        createProduct: (_, __, cache) => cache.invalidate('Query', 'products'),
      },
    },
  })
}
