import customers from '../customers/i18n/en.json'
import messages from '../messages/i18n/en.json'
import orders from '../orders/i18n/en.json'
import overview from '../overview/i18n/en.json'
import products from '../products/i18n/en.json'
import shell from './en.json'

export default { ...shell, ...overview, ...orders, ...products, ...messages, ...customers }
