import account from '@/account/i18n/en.json'
import cart from '@/cart/i18n/en.json'
import catalog from '@/catalog/i18n/en.json'
import checkout from '@/checkout/i18n/en.json'
import demo from '@/demo/i18n/en.json'
import orders from '@/orders/i18n/en.json'
import ui from '@/ui/i18n/en.json'
import app from './en.json'

export default { ...app, ...ui, ...catalog, ...cart, ...checkout, ...orders, ...account, ...demo }
