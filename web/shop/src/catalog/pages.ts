// The catalogue's other pages. They are not part of the first file: who comes to the home page does not wait for them.
export const listPage = () => import('./ProductListPage.vue')
export const productPage = () => import('./ProductPage.vue')
