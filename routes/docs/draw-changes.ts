type Properties = Readonly<Record<string, unknown>>

/** The parts of React that are used here. */
interface React {
  memo(component: unknown, isSame: (before: Properties, after: Properties) => boolean): unknown
  createElement(component: unknown, properties: Properties): unknown
}

interface System {
  readonly React: React
  readonly oas3Selectors: {
    responseCodeContentType(path: unknown, method: unknown, code: unknown): unknown
  }
}

/** A function or class that draws a part of the page. */
interface Component {
  readonly prototype: { mapStateToProps(state: unknown, properties: Properties): Properties }
}

/**
 * A plugin of Swagger UI that draws again what has changed (decision 124). The page draws all that is open at each change
 * of its state, some twenty times for an operation that is executed: every description, every example and every other
 * operation of the tag. Its source is sent to browsers, so it uses nothing from outside of itself.
 */
export function drawChanges() {
  const same =
    (...names: readonly string[]) =>
    (before: Properties, after: Properties) =>
      names.every((name) => before[name] === after[name])

  /** Draws a part when one of these properties has changed. The page's state is not one of them. */
  const drawnFor =
    (...names: readonly string[]) =>
    (original: unknown, { React }: System) => {
      const kept = React.memo(original, same(...names))
      const part = (properties: Properties) => React.createElement(kept, properties)
      return Object.assign(part, { prototype: { mapStateToProps: () => ({}) } })
    }

  const isSameResponse = same(
    ...['response', 'className', 'code', 'contentType', 'chosenType', 'controlsAcceptHeader'],
    'activeExamplesKey',
  )
  const isSameSummary = same(
    ...['op', 'tag', 'path', 'method', 'operationId', 'security', 'isAuthorized', 'showSummary'],
    ...['displayOperationId', 'isDeepLinkingEnabled'],
  )

  return {
    wrapComponents: {
      Markdown: drawnFor('source', 'className'),
      HighlightCode: drawnFor('children', 'className', 'language', 'fileName', 'downloadable', 'canCopy'),
      SyntaxHighlighter: drawnFor('children', 'className', 'language'),
      CopyToClipboardBtn: drawnFor('textToCopy'),
      JumpToPath: drawnFor('path', 'specPath', 'bypass', 'content'),

      response(original: unknown, { React, oas3Selectors }: System) {
        const kept = React.memo(original, isSameResponse)
        // The media type that was chosen is in the page's state.
        return (properties: Properties) => {
          const { path, method, code } = properties
          const chosenType = oas3Selectors.responseCodeContentType(path, method, code)
          return React.createElement(kept, { ...properties, chosenType })
        }
      },

      OperationContainer(original: Component, { React }: System) {
        const isOpen = (properties: Properties) => properties['isShown'] === true
        const kept = React.memo(
          original,
          (before, after) => !isOpen(before) && !isOpen(after) && isSameSummary(before, after),
        )
        const container = (properties: Properties) => React.createElement(kept, properties)
        // By which the page connects it with its state.
        const { mapStateToProps } = original.prototype
        return Object.assign(container, { prototype: { mapStateToProps } })
      },
    },
  }
}
