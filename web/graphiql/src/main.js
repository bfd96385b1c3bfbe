import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { GraphiQL } from 'graphiql'
import 'graphiql/style.css'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
import './page.css'

const welcome = `# Prost's GraphQL API. Ctrl-Enter runs the operation under the cursor.
#
# registerUser or loginUser answers a token. Put it under "Headers" below:
#
#   { "Authorization": "Bearer <token>" }

query FirstProducts {
  products(first: 5) {
    edges {
      node {
        id
        name
        price { amount currencyCode }
        inStock
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`

// Headers go along as payload of connection_init, too: so a subscription is authorised by the same token.
const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
const fetcher = createGraphiQLFetcher({
  url: '/graphql',
  subscriptionUrl: `${scheme}//${location.host}/graphql`,
})

createRoot(document.getElementById('graphiql')).render(
  createElement(GraphiQL, { fetcher, defaultQuery: welcome, defaultEditorToolsVisibility: 'headers' }),
)
