/** Small SVG charts that suit a light and a dark page: colours come from classes, which follow the reader's scheme. */

const WIDTH = 760
const FONT = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'

const STYLE = `
  text { font: 13px ${FONT}; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .muted { fill: #59636e; font-size: 12px }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .own { fill: #0969da; stroke: #0969da }
  .other { fill: #8c959f; stroke: #8c959f }
  .good { fill: #1a7f37; stroke: #1a7f37 }
  .bad { fill: #cf222e; stroke: #cf222e }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
  .dashed { stroke-dasharray: 5 4; stroke-width: 1.5 }
  .spread { stroke: #1f2328; stroke-width: 1.5; opacity: .55 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .muted { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .own { fill: #4493f8; stroke: #4493f8 }
    .other { fill: #7d8590; stroke: #7d8590 }
    .good { fill: #3fb950; stroke: #3fb950 }
    .bad { fill: #f85149; stroke: #f85149 }
    .spread { stroke: #f0f6fc }
  }`

export type Colour = 'own' | 'other' | 'good' | 'bad'

/** The whole document around drawn elements. */
export function svgDocument(title: string, height: number, elements: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    svgText(16, 26, title, 'title'),
    ...elements,
    '</svg>\n',
  ].join('\n')
}

export function svgText(
  x: number,
  y: number,
  text: string,
  style = '',
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  const attributes = `${style && ` class="${style}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}`
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escapeXml(text)}</text>`
}

export function svgLine(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${style}"/>`
}

export function svgRectangle(x: number, y: number, width: number, height: number, style: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="2" class="${style}" stroke="none"/>`
}

export function svgPath(points: readonly (readonly [number, number])[], style: string): string {
  const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join(' ')
  return `<path d="${path}" class="line ${style}" style="fill:none"/>`
}

export function svgDot(x: number, y: number, style: string): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="3.5" class="${style}"/>`
}

/** Steps of 1, 2 or 5 times a power of ten from 0 to what is at least `largest`; about `count` of them. */
export function ticks(largest: number, count = 5): number[] {
  if (!(largest > 0)) return [0, 1]
  const rough = largest / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10)
  const steps = Math.ceil(largest / step - 1e-9)
  return Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12)))
}

/** A number as short as a label should be. */
export function label(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
