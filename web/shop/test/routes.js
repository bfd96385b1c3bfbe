// Every page that has a look of its own, for the screenshots and the checks of accessibility.
// `prepare` brings a page into the state that is meant: it gets the page, already at its path.
export const routes = [
  { name: 'home', path: '/' },
  { name: 'products', path: '/products' },
  { name: 'products-search', path: '/products?q=riesling' },
  { name: 'products-empty', path: '/products?q=nothing-of-the-kind' },
  { name: 'login', path: '/login' },
  { name: 'not-found', path: '/no/such/page' },
]
