/** The short name of an order or account among people: the end of its id, which differs most. */
export const shortId = (id: string) => id.slice(-8).toUpperCase()
