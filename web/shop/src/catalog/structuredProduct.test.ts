import { expect, it } from 'vitest'
import { structuredProduct } from './structuredProduct'

const product = {
  id: 'p1',
  name: 'A Riesling',
  sku: 'W-1',
  description: null,
  price: { amount: '12.90', currencyCode: 'EUR' },
  stockQuantity: 0,
  inStock: false,
  imageUrl: '/pictures/w-1.svg',
  images: ['/pictures/w-1.svg'],
  category: { id: 'c1', name: 'Wine' },
  related: [],
}

it('tells machines the exact price, where the product is, and that there is none left', () => {
  expect(structuredProduct(product, 'https://shop.example')).toEqual({
    '@type': 'Product',
    name: 'A Riesling',
    sku: 'W-1',
    category: 'Wine',
    image: ['https://shop.example/pictures/w-1.svg'],
    offers: {
      '@type': 'Offer',
      url: 'https://shop.example/products/p1',
      price: '12.90',
      priceCurrency: 'EUR',
      availability: 'https://schema.org/OutOfStock',
      itemCondition: 'https://schema.org/NewCondition',
    },
  })
})
