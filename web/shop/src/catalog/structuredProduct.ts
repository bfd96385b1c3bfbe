import type { Product } from './useCatalog'

/** A product as schema.org describes one; `origin` makes its addresses complete. */
export function structuredProduct(product: Product, origin: string): object {
  const { id, name, sku, description, price, inStock, images, category } = product
  return {
    '@type': 'Product',
    name,
    sku,
    ...(description && { description }),
    ...(category && { category: category.name }),
    image: images.map((image) => new URL(image, origin).href),
    offers: {
      '@type': 'Offer',
      url: `${origin}/products/${id}`,
      price: price.amount,
      priceCurrency: price.currencyCode,
      availability: inStock ? 'https://schema.org/InStock' : 'https://schema.org/OutOfStock',
      itemCondition: 'https://schema.org/NewCondition',
    },
  }
}
