#!/usr/bin/env python3
"""Serve a folder on the loopback, crawl it with bight-scrape, and compare the URLs of its records with those
that a walk of the files finds. The walk reads pages with Python's parser and the standard's rules, so that the two
agree by being right and not by being the same.
usage: tree.py PROGRAM FOLDER"""
import collections, html.parser, http.server, json, mimetypes, os, re, subprocess, sys, threading
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit, urlunsplit

SHOWN = 20  # of the differences


class Page(html.parser.HTMLParser):
    """The links of a page, and what they are relative to."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.hrefs, self.base = [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        href = dict(reversed(attributes)).get('href', None)
        if ('href', None) in attributes:
            href = ''
        if href is None:
            return
        if tag == 'a':
            self.hrefs.append(href)
        elif tag == 'base' and self.base is None:
            self.base = href


class Tree:
    def __init__(self, root):
        self.root = os.path.realpath(root)

    def find(self, path):
        """The file of a path of a URL, and whether the path lacks a slash at its end; (None, False) for none."""
        name = unquote_to_bytes(path).lstrip(b'/')
        if b'\0' in name:
            return None, False
        place = os.path.join(os.fsencode(self.root), name)
        if os.path.isdir(place):
            if not path.endswith('/'):
                return None, True
            place = os.path.join(place, b'index.html')
        return (place if os.path.isfile(place) else None), False

    def starts(self):
        """The pages nearest to the root: those named index.html, else all of them."""
        depth = collections.defaultdict(list)
        for folder, folders, files in os.walk(self.root):
            folders.sort()
            for name in sorted(files):
                if name.endswith(('.html', '.htm')):
                    path = os.path.relpath(os.path.join(folder, name), self.root)
                    depth[path.count('/')].append(path)
        for _, paths in sorted(depth.items()):
            indexes = [path for path in paths if os.path.basename(path) == 'index.html']
            return ['/' + quote(path) for path in indexes or paths]
        return []


def type_of(place):
    return mimetypes.guess_type(os.fsdecode(place))[0] or 'application/octet-stream'


def serve(tree):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_GET(self):
            path = urlsplit(self.path).path
            place, bare = tree.find(path)
            body = b''
            if place:
                with open(place, 'rb') as file:
                    body = file.read()
                self.send_response(200)
                self.send_header('Content-Type', type_of(place))
            elif bare:
                self.send_response(301)
                self.send_header('Location', path + '/')
            else:
                self.send_response(404)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def text_of(data):
    """As far as links go: a label far down the page, a bad byte, or a charset that Python lacks may make a
    difference in a path beyond ASCII, which documentation does not have."""
    declared = re.search(rb'<meta[^>]*charset\s*=\s*["\']?\s*([\w.:-]+)', data, re.I)
    label = declared.group(1).decode('ascii', 'replace') if declared else 'utf-8'
    if label.lower() in ('iso-8859-1', 'us-ascii', 'latin1'):
        label = 'cp1252'
    try:
        return data.decode(label, 'replace')
    except LookupError:
        return data.decode('utf-8', 'replace')


def join(base, href):
    """A link without scheme and host; urljoin takes out empty segments, which browsers keep."""
    path, mark, query = re.match('([^?#]*)([?]?)([^#]*)', href).groups()
    base = urlsplit(base)
    if not path:
        return urlunsplit(base._replace(query=query if mark else base.query, fragment=''))
    if not path.startswith('/'):
        path = base.path[:base.path.rindex('/') + 1] + path
    return urlunsplit(base._replace(path=path, query=query, fragment=''))


def resolve(base, href):
    """The link's URL in the crawler's form, None for one of no interest."""
    href = re.sub('[\t\n\r]', '', href.strip(''.join(map(chr, range(33)))))
    scheme = re.match(r'([a-z][a-z0-9+.-]*):', href, re.I)
    if scheme and scheme.group(1).lower() not in ('http', 'https'):
        return None
    end = re.search(r'[?#]|$', href).start()
    href = href[:end].replace('\\', '/') + href[end:]
    if scheme and scheme.group(1).lower() == urlsplit(base).scheme and not href[scheme.end():].startswith('//'):
        href = href[scheme.end():]
        scheme = None
    try:
        joined = urljoin(base, href) if scheme or href.startswith('//') else join(base, href)
    except ValueError:
        return None
    try:
        parts = urlsplit(joined)
        port = parts.port
    except ValueError:
        return None
    path = re.sub('%2e', '.', parts.path, flags=re.I) if re.search(r'(^|/)(\.|%2e){1,2}(/|$)', parts.path, re.I) \
        else parts.path
    path = quote(without_dots(path) or '/', safe="%!#$&'()*+,/:;=?@[]~|\\^")
    query = quote(parts.query, safe="%!#$&'()*+,/:;=?@[]~|\\^")
    host = (parts.hostname or '') + (':%d' % port if port else '')
    return urlunsplit((parts.scheme, host, path, query, ''))


def without_dots(path):
    kept = []
    pieces = path.split('/')
    for piece in pieces[1:]:
        if piece == '..':
            kept[-1:] = []
        elif piece != '.':
            kept.append(piece)
    if pieces[-1] in ('.', '..'):
        kept.append('')
    return '/' + '/'.join(kept)


def walk(tree, origin):
    """The URLs that a crawl from the starts has to find."""
    queue = collections.deque(origin + path for path in tree.starts())
    seen = set(queue)
    while queue:
        url = queue.popleft()
        place, bare = tree.find(urlsplit(url).path)
        final = origin + urlsplit(url).path + '/' if bare else url
        if bare:
            place = tree.find(urlsplit(final).path)[0]
        if not place or type_of(place) not in ('text/html', 'application/xhtml+xml'):
            continue
        with open(place, 'rb') as file:
            page = Page(text_of(file.read()))
        base = (resolve(final, page.base) if page.base is not None else None) or final
        for href in page.hrefs:
            link = resolve(base, href)
            if link and link.startswith(origin + '/') and link not in seen:
                seen.add(link)
                queue.append(link)
    return seen


def crawl(program, urls):
    done = subprocess.run([program, '-q', '--no-robots', *urls], stdout=subprocess.PIPE, check=False)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode:
        sys.exit('%s: exit status %d' % (program, done.returncode))
    return [record['url'] for record in records]


def main(program, folder):
    tree = Tree(folder)
    starts = tree.starts()
    if not starts:
        sys.exit('%s: no pages' % folder)
    origin = 'http://127.0.0.1:%d' % serve(tree)
    found = crawl(program, [origin + path for path in starts])
    wanted = walk(tree, origin)
    twice = [url for url, count in collections.Counter(found).items() if count > 1]
    differences = [('missing', sorted(wanted - set(found))), ('not linked', sorted(set(found) - wanted)),
                   ('twice', sorted(twice))]
    for what, urls in differences:
        for url in urls[:SHOWN]:
            print('%s: %s' % (what, url[len(origin):]))
        if len(urls) > SHOWN:
            print('%s: %d more' % (what, len(urls) - SHOWN))
    print('%s: %d URLs, %s' % (folder, len(wanted), ', '.join('%d %s' % (len(urls), what)
                                                             for what, urls in differences)))
    return 1 if any(urls for _, urls in differences) else 0


sys.exit(main(*sys.argv[1:]))
