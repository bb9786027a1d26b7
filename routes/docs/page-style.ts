/**
 * Repairs of Swagger UI's own style: names of headers that are dark on dark, and tables of responses that are wider
 * than a phone.
 */
export const PAGE_STYLE = `
html.dark-mode .swagger-ui table.headers td,
html.dark-mode .swagger-ui table.headers .header-col { color: #c9d1d9; }
@media (max-width: 640px) {
  .swagger-ui .opblock-tag-section .opblock .opblock-section { overflow-x: auto; }
  .swagger-ui .responses-inner { overflow-x: auto; padding: 12px; }
  .swagger-ui .responses-table .response,
  .swagger-ui .responses-table .response > td { display: block; padding: 4px 0; width: auto; }
  .swagger-ui .responses-table > thead { display: none; }
}
`
