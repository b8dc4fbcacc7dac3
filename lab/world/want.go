package world

import "strings"

// Want is an expectation that a world's writer put behind a line as `# want ...`. The lab ignores it; test harnesses
// compare it with what a diagnosis says.
type Want struct {
	Line    int               // of the file, from 1
	Verdict string            // found, clear or unknown; found unless the want says another
	Code    string            // the fault's code: connection-pending
	Cause   string            // cause=...
	Subject string            // name of what the line makes or acts on: the connection, pipeline or host
	More    map[string]string // every other key=value
	Words   []string          // every other word
}

func parseWant(comment string, no int) (Want, bool) {
	words, _, err := split(strings.TrimSpace(comment))
	if err != nil || len(words) < 2 || words[0] != "want" {
		return Want{}, false
	}
	w := Want{Line: no, Verdict: "found", More: map[string]string{}}
	words = words[1:]
	if v := words[0]; (v == "found" || v == "clear" || v == "unknown") && len(words) > 1 {
		w.Verdict, words = v, words[1:]
	}
	w.Code = words[0]
	for _, x := range words[1:] {
		m := optionWord.FindStringSubmatch(x)
		switch {
		case m == nil:
			w.Words = append(w.Words, unquote(x))
		case m[1] == "cause":
			w.Cause = unquote(x[len(m[0]):])
		case m[1] == "subject":
			w.Subject = unquote(x[len(m[0]):])
		default:
			w.More[m[1]] = unquote(x[len(m[0]):])
		}
	}
	return w, true
}
