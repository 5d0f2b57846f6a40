# C without its comments, line by line.
{
    line = $0
    while (line != "") {
        if (inside) {
            at = index(line, "*/")
            line = at ? substr(line, at + 2) : ""
            inside = !at
        } else {
            at = index(line, "/*")
            printf "%s", at ? substr(line, 1, at - 1) " " : line
            line = at ? substr(line, at + 2) : ""
            inside = at
        }
    }
    print ""
}
