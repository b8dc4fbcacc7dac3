package world

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// line is one statement of a world: what a writer wrote, continuation lines and here-documents included.
type line struct {
	no    int
	first string            // the word a stage line begins with, "" for acts
	words []string          // words without key=; what a line's reader has taken is gone
	opts  map[string]string // key=value words
	used  map[string]bool   // options somebody asked for
	wants []Want

	subject string // name of what the line makes or acts on
}

var (
	optionWord = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_.-]*)=`)
	hereDoc    = regexp.MustCompile(`<<([A-Z][A-Z0-9_]*)$`)
)

// maxLine bounds one physical line, so that a file that is no world is refused early.
const maxLine = 1 << 20

// scan cuts a world's text into statements; title is the first comment line.
func scan(text []byte) (lines []*line, title string, err error) {
	rows := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	var cur *line
	for i := 0; i < len(rows); i++ {
		row, no := rows[i], i+1
		if len(row) > maxLine || strings.ContainsRune(row, 0) {
			return nil, "", at(no, fmt.Errorf("this is not text: a world is made of short lines"))
		}
		words, comment, err := split(row)
		if err != nil {
			return nil, "", at(no, err)
		}
		if title == "" && len(words) == 0 && cur == nil {
			title = strings.TrimSpace(comment)
		}
		if len(words) > 0 {
			if indented := row[0] == ' ' || row[0] == '\t'; !indented {
				cur = &line{no: no, opts: map[string]string{}, used: map[string]bool{}}
				lines = append(lines, cur)
			} else if cur == nil {
				return nil, "", at(no, fmt.Errorf("an indented line continues the line above, and there is none"))
			}
			if i, err = cur.add(words, rows, i); err != nil {
				return nil, "", at(no, err)
			}
		}
		if w, ok := parseWant(comment, no); ok && cur != nil {
			cur.wants = append(cur.wants, w)
		} else if ok {
			return nil, "", at(no, fmt.Errorf("a want stands behind the line it is about, or under it"))
		}
	}
	return lines, title, nil
}

// add takes a row's words into the statement and returns the last row it read (here-documents take more than one).
func (l *line) add(words []string, rows []string, i int) (int, error) {
	for _, w := range words {
		m := optionWord.FindStringSubmatch(w)
		if m == nil {
			l.words = append(l.words, unquote(w))
			continue
		}
		key, val := m[1], w[len(m[0]):]
		if _, twice := l.opts[key]; twice {
			return i, fmt.Errorf("%s= stands twice", key)
		}
		if h := hereDoc.FindStringSubmatch(val); h != nil && len(h[0]) == len(val) {
			end := i + 1
			for end < len(rows) && strings.TrimSpace(rows[end]) != h[1] {
				end++
			}
			if end == len(rows) {
				return i, fmt.Errorf("%s=<<%s: no line %s ends it", key, h[1], h[1])
			}
			l.opts[key], i = strings.Join(rows[i+1:end], "\n"), end
			continue
		}
		l.opts[key] = unquote(val)
	}
	return i, nil
}

// split cuts a row into words and its comment. Quotes stay in the words, so that `"a=b"` is no option.
func split(row string) (words []string, comment string, err error) {
	var b strings.Builder
	var quote rune
	inWord, escaped := false, false
	for i, r := range row {
		switch {
		case escaped:
			escaped = false
			b.WriteRune(r)
		case quote == '"' && r == '\\':
			escaped = true
			b.WriteRune(r)
		case quote != 0:
			b.WriteRune(r)
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'' && (!inWord || strings.HasSuffix(b.String(), "=")):
			quote, inWord = r, true
			b.WriteRune(r)
		case r == ' ' || r == '\t':
			if inWord {
				words, inWord = append(words, b.String()), false
				b.Reset()
			}
		case r == '#' && !inWord:
			return words, row[i+1:], nil
		default:
			inWord = true
			b.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, "", fmt.Errorf("a %c is not closed", quote)
	}
	if inWord {
		words = append(words, b.String())
	}
	return words, "", nil
}

// unquote takes the quotes away: in "..." a backslash keeps the next character, '...' is verbatim.
func unquote(w string) string {
	var b strings.Builder
	var quote rune
	escaped := false
	for i, r := range w {
		switch {
		case escaped:
			escaped = false
			b.WriteRune(r)
		case quote == '"' && r == '\\':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\'' && i == 0):
			quote = r
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// at puts the line number before a cause; the file's name comes before that in Load.
func at(no int, err error) error { return &lineError{no, err} }

type lineError struct {
	no    int
	cause error
}

func (e *lineError) Error() string { return fmt.Sprintf("%d: %v", e.no, e.cause) }
func (e *lineError) Unwrap() error { return e.cause }

// word takes the next positional word; what names it in the complaint when it is missing.
func (l *line) word(what string) (string, error) {
	if len(l.words) == 0 {
		return "", fmt.Errorf("%s is missing", what)
	}
	w := l.words[0]
	l.words = l.words[1:]
	return w, nil
}

// skip drops the next word when it is one of these: the little words that make a line read well.
func (l *line) skip(words ...string) bool {
	if len(l.words) > 0 && slices.Contains(words, l.words[0]) {
		l.words = l.words[1:]
		return true
	}
	return false
}

// opt is an option's value, def when it is not given.
func (l *line) opt(key, def string) string {
	l.used[key] = true
	if v, ok := l.opts[key]; ok {
		return v
	}
	return def
}

// has tells whether an option was given.
func (l *line) has(key string) bool {
	l.used[key] = true
	_, ok := l.opts[key]
	return ok
}

// list is an option's value cut at its commas.
func (l *line) list(key string) []string { return commas(l.opt(key, "")) }

func commas(s string) []string {
	var all []string
	for _, x := range strings.Split(s, ",") {
		if x = strings.TrimSpace(x); x != "" {
			all = append(all, x)
		}
	}
	return all
}

// done refuses words and options that nobody asked for, so that no typing mistake passes silently.
func (l *line) done() error {
	if len(l.words) > 0 {
		return fmt.Errorf("%q is not understood here", l.words[0])
	}
	var known, unknown []string
	for k := range l.opts {
		if !l.used[k] {
			unknown = append(unknown, k)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	for k := range l.used {
		known = append(known, k+"=")
	}
	sort.Strings(unknown)
	sort.Strings(known)
	return fmt.Errorf("%s= is not known here; known: %s", unknown[0], strings.Join(known, " "))
}
