package cli_test

import (
	"fmt"
	"regexp"
	"strings"
)

// steadies are the parts of an output that differ from run to run, and what stands for them.
func steadies() []steadied {
	s := func(pattern, with string) steadied { return steadied{regexp.MustCompile(pattern), with} }
	return []steadied{
		s(`(since|for)(\s+)(\d{4}-\d\d-\d\d|\d+ (min|h))([:;])`, "$1${2}AGE$5"),
		s(`http://127\.0\.0\.1:\d+`, "http://LAB"),
		s(`\b\d{8}-\d{4}-[2-9a-z]{4}\b`, "RUN"),
		s(`sha256:[0-9a-f]{64}`, "DIGEST"),
		s(`(?m)(^P|: p)lan [0-9a-f]{12}`, "${1}lan ID"),
		s(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`, "TIME"),
		s(`\d{4}-\d\d-\d\d\s+\d\d:\d\d(:\d\d)?(\s+UTC)?`, "TIME"),
		s(`\b\d\d:\d\d:\d\d\b`, "CLOCK"),
		s(`\S+/(\.unjam|state)/export/`, "HOME/export/"),
		s(`commit [0-9a-f]{12}`, "commit COMMIT"),
		s(`\d+ calls in \d+\.\d s\b`, "N calls in N s"), // a throttled one is made again
		s(`"elapsedMs": \d+`, `"elapsedMs": 0`),
	}
}

type steadied struct {
	pattern *regexp.Regexp
	with    string
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// steady replaces what differs from run to run. UUIDs are numbered as they appear.
func steady(text string) string {
	for _, s := range steadies() {
		text = s.pattern.ReplaceAllString(text, s.with)
	}
	ids := map[string]string{}
	text = uuid.ReplaceAllStringFunc(text, func(id string) string {
		if ids[id] == "" {
			ids[id] = fmt.Sprintf("UUID%d", len(ids)+1)
		}
		return ids[id]
	})
	return oneMinute(text)
}

// oneMinute leaves out a second heading of changes by the same hand: whether two changes of a world fall into one minute is chance.
func oneMinute(text string) string {
	var kept []string
	head := ""
	for line := range strings.Lines(text) {
		words := strings.TrimSpace(line)
		if x, ok := strings.CutPrefix(words, "Changed "); ok {
			head = strings.TrimSpace(x)
		} else if head != "" && words == head {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "")
}
