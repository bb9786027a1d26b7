/** Who may import whom; docs/architecture.md says why. */
const forbid = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to })

const FRAMEWORK = '(^|/)node_modules/(fastify|@fastify|fastify-plugin)/'

export default {
  forbidden: [
    forbid('no-cycles', {}, { circular: true }, 'Modules that need each other are one module.'),
    forbid('no-unresolvable', {}, { couldNotResolve: true }, 'The import leads nowhere.'),
    forbid(
      'no-dev-dependencies',
      { pathNot: ['^test/', '^bench/', '^deploy/monitoring/', '^lib/embedded-postgres/'] },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
      'Production has no development dependencies.',
    ),
    forbid(
      'schemas-stand-alone',
      { path: '^schemas/' },
      { pathNot: ['^schemas/', '@sinclair/typebox'] },
      'Schemas know TypeBox and other schemas.',
    ),
    forbid(
      'services-know-no-http',
      { path: '^services/' },
      { path: [FRAMEWORK, '^plugins/', '^routes/', '^process/', '^app.ts$', '^server.ts$', '^commands/'] },
      'Services run without HTTP.',
    ),
    forbid(
      'lib-knows-no-domain',
      { path: '^lib/' },
      {
        path: [
          FRAMEWORK,
          '^services/',
          '^plugins/',
          '^routes/',
          '^process/',
          '^app.ts$',
          '^server.ts$',
          '^commands/',
        ],
      },
      'What the product stands on does not know the product.',
    ),
    forbid(
      'settings-are-passed-in',
      { path: '^(services|lib)/' },
      { path: '^config/', dependencyTypesNot: ['type-only'] },
      'Services and lib are given their settings.',
    ),
    forbid(
      'queries-are-private',
      { path: '^(services|lib)/([^/]+)/' },
      { path: '^(services|lib)/[^/]+/queries', pathNot: '^$1/$2/' },
      "Another domain's rules stand before its queries.",
    ),
    forbid(
      'queries-behind-services',
      { pathNot: '^(services|lib|test)/' },
      { path: '/queries.ts$' },
      'As above.',
    ),
    forbid(
      'scopes-come-from-memberships',
      {
        path: '^(services|routes|plugins)/',
        // A link to a file stands in for the member who made it; a channel asks for the membership itself; scans are made for
        // all by jobs, and admins of the service see what is in quarantine and how much space is used.
        pathNot:
          '^services/((members|organizations|invitations|api-keys|events|audit|webhooks)/|files/(links|quarantine|scanning)\\.ts$|storage/limits\\.ts$|realtime/store\\.ts$|[^/]+/jobs\\.ts$)',
      },
      { path: '^lib/database/scoped-database\\.ts$', dependencyTypesNot: ['type-only'] },
      'Whose rows a database shows is decided by what checks the membership (docs/tenancy.md).',
    ),
    forbid(
      'routes-call-services',
      { path: '^routes/' },
      {
        path: [
          '(^|/)node_modules/(@types/)?pg/',
          '^config/',
          '^app.ts$',
          '^server.ts$',
          '^commands/',
          '^migrations/',
        ],
      },
      'Routes know schemas and services.',
    ),
    forbid(
      'routes-name-the-actor',
      { path: '^routes/' },
      { path: '^services/[^/]+/(records|operators)\\.ts$' },
      'What routes call checks what the actor may do.',
    ),
    forbid(
      'routes-see-plugin-types-only',
      { path: '^routes/' },
      { path: '^plugins/', dependencyTypesNot: ['type-only'] },
      'Routes reach plugins by what they decorate.',
    ),
    forbid(
      'plugins-load-in-order',
      { path: '^plugins/(infrastructure|http)/' },
      { path: '^plugins/(http|api)/', pathNot: '^plugins/$1/' },
      'Infrastructure is loaded before http, and http before api.',
    ),
    forbid('plugins-know-no-routes', { path: '^plugins/' }, { path: '^routes/' }, 'Plugins come first.'),
    forbid(
      'config-stands-alone',
      { path: '^config/' },
      {
        path: [
          '^lib/',
          '^plugins/',
          '^process/',
          '^routes/',
          '^services/',
          '^schemas/',
          '^app.ts$',
          '^server.ts$',
          '^commands/',
        ],
      },
      'The configuration is there before anything else.',
    ),
    forbid(
      'the-panel-is-a-client',
      { path: '^admin/' },
      { pathNot: ['^admin/', '^schemas/', '(^|/)node_modules/(preact|@preact/signals|uplot)/'] },
      'The panel calls the API as any other client does.',
    ),
    forbid(
      'browsers-get-no-schemas',
      { path: '^admin/' },
      { path: '^schemas/', dependencyTypesNot: ['type-only'] },
      'Of schemas the panel has the types; the rest is not served.',
    ),
    forbid(
      'the-service-runs-no-browser-code',
      { pathNot: '^(admin|test)/' },
      { path: '^admin/' },
      'The panel is read as text, and runs in browsers.',
    ),
    forbid(
      'processes-are-the-servers',
      { pathNot: ['^server.ts$', '^process/', '^test/'] },
      { path: '^process/' },
      'An instance does not know how many there are.',
    ),
    forbid(
      'nothing-needs-the-benchmark',
      { pathNot: '^(bench|test)/' },
      { path: '^bench/' },
      'The benchmark looks at the service from outside.',
    ),
    forbid(
      'no-tests-in-production',
      { pathNot: '^test/' },
      { path: '^test/' },
      'Tests import, and are not imported.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^\\.tap/', '^\\.data/', '^node_modules/\\.', '^test/clients/typescript/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
