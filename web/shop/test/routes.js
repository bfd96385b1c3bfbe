// Every page that has a look of its own, for the screenshots and the checks of accessibility.
// `prepare` brings a page into the state that is meant: it gets the page, already at its path.
export const routes = [
  { name: 'home', path: '/' },
  { name: 'products', path: '/products' },
  { name: 'products-search', path: '/products?q=riesling' },
  {
    name: 'product',
    path: '/products?q=kabinett',
    prepare: async (page) => {
      await page.getByRole('link', { name: /Kabinett/ }).first().click()
      await page.getByRole('heading', { level: 1, name: /Kabinett/ }).waitFor()
      await page.waitForLoadState('networkidle')
    },
  },
  {
    name: 'search-suggestions',
    path: '/',
    prepare: async (page) => {
      await page.getByRole('combobox').fill('ries')
      await page.getByRole('option').first().waitFor()
    },
  },
  { name: 'products-empty', path: '/products?q=nothing-of-the-kind' },
  { name: 'login', path: '/login' },
  { name: 'not-found', path: '/no/such/page' },
]
