// Before the first paint, and therefore not part of the application: otherwise a dark page would flash white.
// src/app/theme/useTheme.ts reads and writes the same key.
;(() => {
  const stored = localStorage.getItem('prost.theme')
  const dark = stored === 'dark' || (stored !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.add(dark ? 'dark' : 'light')
})()
