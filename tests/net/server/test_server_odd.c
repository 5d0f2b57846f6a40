/* Requests that are seldom seen and that RFC 9110 and 9112 allow, or want to be put up with: they
 * are taken, and so is the one behind. However the bytes come. */
#include "tests/net/server/pieces.h"

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define PLAIN "[GET][/][][a][]"
#define ABC "[POST][/][][a][abc]"

static const struct pieces_row request_lines[] = {
    taken_row("an empty line first", "\r\n" LINE HOST "\r\n", PLAIN),
    taken_row("version 1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", PLAIN),
    taken_row("version 1.9", "GET / HTTP/1.9\r\n" HOST "\r\n", PLAIN),
    taken_row("version 1.9 with a body",
              "POST / HTTP/1.9\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
              ABC),
    taken_row("version 1.0, to be kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
              "[GET][/][][][]"),
    taken_row("visible characters", "GET /\"<>[]^`{|}\\?\"<>[]^`{|}\\ HTTP/1.1\r\n" HOST "\r\n",
              "[GET][/\"<>[]^`{|}\\][\"<>[]^`{|}\\][a][]"),
    taken_row("encoded bytes", "GET /%e4%C3%20%7f HTTP/1.1\r\n" HOST "\r\n",
              "[GET][/\xe4\xc3 \x7f][][a][]"),
    taken_row("a percent in the query", "GET /?%zz%00% HTTP/1.1\r\n" HOST "\r\n",
              "[GET][/][%zz%00%][a][]"),
    taken_row("two question marks", "GET /?a?b HTTP/1.1\r\n" HOST "\r\n", "[GET][/][a?b][a][]"),
    taken_row("two slashes first", "GET //b/c HTTP/1.1\r\n" HOST "\r\n", "[GET][/b/c][][a][]"),
    taken_row("a colon in the path", "GET /a:b@c HTTP/1.1\r\n" HOST "\r\n", "[GET][/a:b@c][][a][]"),
    taken_row("a whole URL", "GET http://b:81/c?d HTTP/1.1\r\n" HOST "\r\n",
              "[GET][/c][d][b:81][]"),
    taken_row("in upper case", "GET HTTP://B/c HTTP/1.1\r\n" HOST "\r\n", "[GET][/c][][B][]"),
    taken_row("of https", "GET https://b HTTP/1.1\r\n" HOST "\r\n", "[GET][/][][b][]"),
    taken_row("with IPv6", "GET http://[::1]:81/ HTTP/1.1\r\n" HOST "\r\n",
              "[GET][/][][[::1]:81][]"),
    taken_row("* of OPTIONS", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "[OPTIONS][*][][a][]"),
    taken_row("a path of OPTIONS", "OPTIONS /b HTTP/1.1\r\n" HOST "\r\n", "[OPTIONS][/b][][a][]"),
    taken_row("a method of WebDAV", "PROPFIND /b HTTP/1.1\r\n" HOST "\r\n",
              "[PROPFIND][/b][][a][]"),
    taken_row("a method with a dash", "M-SEARCH /b HTTP/1.1\r\n" HOST "\r\n",
              "[M-SEARCH][/b][][a][]"),
};

static const struct pieces_row fields[] = {
    taken_row("no space behind the colon", LINE "Host:a\r\n\r\n", PLAIN),
    taken_row("tabs around the value", LINE "Host:\t a \t\r\n\r\n", PLAIN),
    taken_row("a name in upper case", LINE "HOST: a\r\n\r\n", PLAIN),
    taken_row("an empty value", LINE HOST "A:\r\n\r\n", PLAIN),
    taken_row("a blank value", LINE HOST "A: \t \r\n\r\n", PLAIN),
    taken_row("a tab in a value", LINE HOST "A: b\tc\r\n\r\n", PLAIN),
    taken_row("bytes above ASCII in a value", LINE HOST "A: \xc3\xa4\xff\x80\r\n\r\n", PLAIN),
    taken_row("all that a value may have",
              LINE HOST "A: !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\r\n\r\n", PLAIN),
    taken_row("all that a name may have", LINE HOST "!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n", PLAIN),
    taken_row("a colon in a value", LINE HOST "A::b\r\n\r\n", PLAIN),
    taken_row("a name twice", LINE HOST "A: b\r\nA: c\r\n\r\n", PLAIN),
    taken_row("Host is last", LINE "A: b\r\n" HOST "\r\n", PLAIN),
    taken_row("an empty Host", LINE "Host:\r\n\r\n", "[GET][/][][][]"),
    taken_row("a port", LINE "Host: a:65535\r\n\r\n", "[GET][/][][a:65535][]"),
    taken_row("an empty port", LINE "Host: a:\r\n\r\n", "[GET][/][][a:][]"),
    taken_row("IPv6", LINE "Host: [2001:db8::1]:80\r\n\r\n", "[GET][/][][[2001:db8::1]:80][]"),
    taken_row("an underscore", LINE "Host: a_b.c\r\n\r\n", "[GET][/][][a_b.c][]"),
    taken_row("an encoded byte", LINE "Host: a%2Db\r\n\r\n", "[GET][/][][a%2Db][]"),
    taken_row("an upgrade that nobody wants",
              LINE HOST "Connection: upgrade\r\nUpgrade: x/1\r\n\r\n", PLAIN),
    taken_row("and with a body",
              POST "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc", ABC),
    taken_row("and with one in chunks",
              POST "Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n0\r\n\r\n",
              ABC),
    taken_row("options of the connection with empty elements",
              LINE HOST "Connection: ,, keep-alive ,,x\r\n\r\n", PLAIN),
    taken_row("the body is expected, and there is none", LINE HOST "Expect: 100-continue\r\n\r\n",
              PLAIN),
};

static const struct pieces_row bodies[] = {
    taken_row("leading zeros", POST "Content-Length: 0003\r\n\r\nabc", ABC),
    taken_row("tabs around", POST "Content-Length:\t3\t\r\n\r\nabc", ABC),
    taken_row("none", POST "Content-Length: 0\r\n\r\n", "[POST][/][][a][]"),
    taken_row("none said", POST "\r\n", "[POST][/][][a][]"),
    taken_row("of a GET", LINE HOST "Content-Length: 3\r\n\r\nabc", "[GET][/][][a][abc]"),
    taken_row("of HTTP/1.0",
              "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
              "[POST][/][][][abc]"),
    taken_row("it looks like a request", POST "Content-Length: 18\r\n\r\nGET /x HTTP/1.1\r\n\r",
              "[POST][/][][a][GET /x HTTP/1.1\r\n\r]"),
    taken_row("tabs around the coding",
              POST "Transfer-Encoding:\tchunked\t\r\n\r\n3\r\nabc\r\n0\r\n\r\n", ABC),
    taken_row("a coding in upper case",
              POST "Transfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n", ABC),
    taken_row("one chunk", CHUNKED "3\r\nabc\r\n0\r\n\r\n", ABC),
    taken_row("three", CHUNKED "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", ABC),
    taken_row("no chunk", CHUNKED "0\r\n\r\n", "[POST][/][][a][]"),
    taken_row("a digit in upper case", CHUNKED "A\r\n0123456789\r\n0\r\n\r\n",
              "[POST][/][][a][0123456789]"),
    taken_row("a digit in lower case", CHUNKED "a\r\n0123456789\r\n0\r\n\r\n",
              "[POST][/][][a][0123456789]"),
    taken_row("a size with leading zeros", CHUNKED "000000000000003\r\nabc\r\n0\r\n\r\n", ABC),
    taken_row("many zeros at the end", CHUNKED "3\r\nabc\r\n000\r\n\r\n", ABC),
    taken_row("data that looks like the end", CHUNKED "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
              "[POST][/][][a][\r\n0\r\n\r\n]"),
    taken_row("an extension", CHUNKED "3;a=b\r\nabc\r\n0;c\r\n\r\n", ABC),
    taken_row("several", CHUNKED "3;a;b;c=\"d e\"\r\nabc\r\n0\r\n\r\n", ABC),
    taken_row("trailers", CHUNKED "3\r\nabc\r\n0\r\nA: b\r\nC:\t\xe4\r\n\r\n", ABC),
    taken_row("trailers that say something else",
              CHUNKED "3\r\nabc\r\n0\r\nHost: b\r\nConnection: close\r\n\r\n", ABC),
};

static struct pieces_table all_request_lines = pieces_of(request_lines),
                           all_fields = pieces_of(fields), all_bodies = pieces_of(bodies);

static const struct suite_case cases[] = {
    world_case(request_lines_in_odd_forms, pieces_are_taken, .arg = &all_request_lines),
    world_case(fields_in_odd_forms, pieces_are_taken, .arg = &all_fields),
    world_case(bodies_in_odd_forms, pieces_are_taken, .arg = &all_bodies),
};

test_suite("server_odd", cases);
