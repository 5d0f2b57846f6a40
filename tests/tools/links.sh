#!/bin/sh
# Relative links of the documentation lead to files, and those with a fragment to a heading.
# usage: links.sh ROOT
set -eu
cd "$1"
pages=$(find . -name '*.md' -not -path './build*' -not -path './tests/tools/fixtures/*' -not -path './.git/*')
status=0

# The names that headings of a page get: lower case, blanks to dashes, other signs dropped.
anchors() {
    sed -n 's/^##* //p' "$1" | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9_\n-'
}

for page in $pages; do
    for link in $(grep -o '](\([^)]*\))' "$page" | sed 's/^](//; s/)$//'); do
        case $link in *://* | mailto:*) continue ;; esac
        file=${link%%#*}
        target=$page
        [ -z "$file" ] || target=$(dirname "$page")/$file
        if [ ! -e "$target" ]; then
            echo "$page: $link: no such file"
            status=1
        elif [ "$link" != "$file" ] && ! anchors "$target" | grep -qxF -- "${link#*#}"; then
            echo "$page: $link: no such heading"
            status=1
        fi
    done
done
exit "$status"
