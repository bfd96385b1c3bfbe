// What the pages that a visitor sees first have to reach, and how Lighthouse is shown them.
import { env } from 'node:process'
import { desktopConfig } from 'lighthouse'

/** The least score of each category. */
export const LEAST = { performance: 0.95, accessibility: 0.95, 'best-practices': 1, seo: 0.95 }

export const DEVICES = { phone: undefined, desktop: desktopConfig }

export const CHROME = {
  chromePath: env.CHROMIUM ?? '/usr/bin/chromium',
  chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
}

/** The paths of home, list and a product's page, by name. */
export async function firstPages(shop) {
  const answer = await fetch(`${shop}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ products(first: 1) { edges { node { id } } } }' }),
  })
  const { data } = await answer.json()
  return { home: '/', products: '/products', product: `/products/${data.products.edges[0].node.id}` }
}
