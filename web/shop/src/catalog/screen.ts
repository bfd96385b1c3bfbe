const isPhone = window.innerWidth < 640

/** How many cards stand in the first row, at most: their pictures come first. */
export const FIRST_ROW = isPhone ? 2 : 4

/** As many cards as a screen shows at first. */
export const SEEN = isPhone ? 4 : 12
