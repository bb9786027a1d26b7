import { signal } from '@preact/signals'
import { type ComponentChildren, type FunctionComponent, h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Heading, Note } from '../ui/pieces.ts'
import { questions } from '../ui/questions.ts'
import { Empty, Loading } from '../ui/states.ts'
import { loadPage, PAGES, product, START } from './pages.ts'
import { linkTo, type PageProps, route } from './route.ts'
import { session, signOut } from './session.ts'

/** Whether the menu of a narrow screen is open. */
const isMenuOpen = signal(false)

/** All of the panel: the page for signing in, or the menu and the page that the URL names. */
export function Shell(): ComponentChildren {
  const current = session.value
  if (current === undefined) return h(Loading, null)
  if (current === null) return h('div', null, h(Later, { load: signingIn }), h(Note, null))
  return h(
    'div',
    { class: 'shell' },
    h('a', { class: 'skip', href: '#main', onClick: skip }, 'Skip to the content'),
    h(Menu, { email: current.user.email }),
    h('main', { id: 'main', tabIndex: -1 }, h(AfterAWhile, { load: banner }), h(Content, null)),
    questions.value.length > 0 && h(Later, { load: dialogs }),
    h(Note, null),
  )
}

const signingIn = async () => (await import('./sign-in.ts')).SignIn
const banner = async () => (await import('../pages/banner.ts')).Banner
const dialogs = async () => (await import('../ui/dialog.ts')).Dialogs

/** A part that most visits do without. */
function Later({ load }: { load: () => Promise<FunctionComponent> }): ComponentChildren {
  const [loaded, setLoaded] = useState<{ part: FunctionComponent }>()
  useEffect(() => void load().then((part) => setLoaded({ part })), [load])
  return loaded ? h(loaded.part, null) : null
}

/** Long enough for the page itself to be there first. */
const WHILE_MS = 3000

/** A part that has time. */
function AfterAWhile({ load }: { load: () => Promise<FunctionComponent> }): ComponentChildren {
  const [isTime, setTime] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setTime(true), WHILE_MS)
    return () => clearTimeout(timer)
  }, [])
  return isTime ? h(Later, { load }) : null
}

/** The link's own fragment would be another page. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Menu({ email }: { email: string }): ComponentChildren {
  const [name = START] = route.value.path
  const isOpen = isMenuOpen.value
  const close = () => {
    isMenuOpen.value = false
  }
  return h(
    'header',
    { class: isOpen ? 'menu open' : 'menu' },
    h(
      'div',
      { class: 'brand' },
      h('a', { href: linkTo([START]), onClick: close }, product, h('span', null, 'admin')),
      h(
        'button',
        {
          type: 'button',
          class: 'toggle',
          'aria-expanded': isOpen,
          'aria-controls': 'pages',
          onClick: () => {
            isMenuOpen.value = !isOpen
          },
        },
        'Menu',
      ),
    ),
    h(
      'nav',
      { id: 'pages', 'aria-label': 'Pages' },
      Object.entries(PAGES).map(
        ([key, { label }]) =>
          label &&
          h(
            'a',
            { key, href: linkTo([key]), 'aria-current': key === name ? 'page' : undefined, onClick: close },
            label,
          ),
      ),
    ),
    h(
      'div',
      { class: 'account' },
      h('span', { class: 'who', title: email }, email),
      h('button', { type: 'button', onClick: () => signOut() }, 'Sign out'),
    ),
  )
}

type State = { readonly page: FunctionComponent<PageProps> } | 'missing' | 'failed' | undefined

/** The page that the URL names. */
function Content(): ComponentChildren {
  const { path } = route.value
  const [name = START, id = ''] = path
  const place = `${name}/${id}`
  const [state, setState] = useState<{ place: string; page: State }>({ place, page: undefined })
  const isFirst = useRef(true)

  useEffect(() => {
    let isCurrent = true
    const show = (page: State) => isCurrent && setState({ place, page })
    const loading = loadPage(route.value)
    if (loading === undefined) show('missing')
    else
      loading.then(
        (page) => show({ page }),
        () => show('failed'),
      )
    return () => {
      isCurrent = false
    }
  }, [place])

  useEffect(() => {
    if (state.place !== place || state.page === undefined) return
    const title = document.querySelector('h1')
    document.title = `${title?.textContent ?? 'Admin'} · ${product} admin`
    // Who follows a link hears where it led; who opens the panel starts at its top.
    if (!isFirst.current) title?.focus()
    isFirst.current = false
  }, [place, state])

  const { page } = state
  if (state.place !== place || page === undefined) return h(Loading, null)
  if (page === 'missing') return lost('There is no such page', 'The menu has those that there are.')
  if (page === 'failed')
    return lost('This page could not be loaded', 'The service may have been updated. Load the panel again.')
  return h(page.page, { key: place, id })
}

function lost(title: string, text: string): ComponentChildren {
  return h('div', null, h(Heading, { title }), h(Empty, null, text))
}
