import { cacheExchange } from '@urql/exchange-graphcache'
import { EMBEDDED_TYPES } from './generated/embedded'

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
        product: (_, args) => ({ __typename: 'Product', id: args.id as string }),
        order: (_, args) => ({ __typename: 'Order', id: args.id as string }),
        cart: (_, args) => ({ __typename: 'Cart', id: args.id as string }),
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
