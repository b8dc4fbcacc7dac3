package corpus

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Score is the sum over all incidents with one source missing.
type Score struct {
	Missing              string
	Incidents            int
	Right, Honest, Wrong int
	False                int // claims of class verified that are wrong
	Blast                int // incidents whose pipelines are exactly named
	MedianCalls, Calls   int // median and most
	MedianTime, Time     time.Duration
}

// Accuracy is the share of incidents whose first finding is the label, 0 to 1.
func (s Score) Accuracy() float64 {
	if s.Incidents == 0 {
		return 0
	}
	return float64(s.Right) / float64(s.Incidents)
}

// ScoreOf sums what was played with one source missing.
func ScoreOf(missing string, all []Played) Score {
	s := Score{Missing: missing}
	var calls []int
	var times []time.Duration
	for _, p := range all {
		if p.Missing != missing {
			continue
		}
		s.Incidents++
		switch p.Word {
		case Right:
			s.Right++
		case Honest:
			s.Honest++
		default:
			s.Wrong++
		}
		s.False += len(p.False)
		if p.Blast {
			s.Blast++
		}
		calls, times = append(calls, p.Calls), append(times, p.Time)
	}
	slices.Sort(calls)
	slices.Sort(times)
	if n := len(calls); n > 0 {
		s.MedianCalls, s.Calls, s.MedianTime, s.Time = calls[n/2], calls[n-1], times[n/2], times[n-1]
	}
	return s
}

// PerFault is how well one fault is told.
type PerFault struct {
	Code             string
	True, False, Not int // found and labelled; found and not labelled; labelled and not found
}

// Precision is the share of findings that are true, 0 to 1; 1 when there is none.
func (f PerFault) Precision() float64 { return share(f.True, f.False) }

// Recall is the share of labels that were found, 0 to 1; 1 when there is none.
func (f PerFault) Recall() float64 { return share(f.True, f.Not) }

func share(good, bad int) float64 {
	if good+bad == 0 {
		return 1
	}
	return float64(good) / float64(good+bad)
}

// Faults sums per fault over what was played with nothing missing.
func Faults(all []Played) []PerFault {
	by := map[string]*PerFault{}
	at := func(code string) *PerFault {
		if by[code] == nil {
			by[code] = &PerFault{Code: code}
		}
		return by[code]
	}
	for _, p := range all {
		if p.Missing != "" {
			continue
		}
		if p.Label.Code != "" && !slices.Contains(p.Found, p.Label.Code) {
			at(p.Label.Code).Not++
		}
		for _, code := range slices.Compact(slices.Sorted(slices.Values(p.Found))) {
			switch {
			case code == p.Label.Code:
				at(code).True++
			case slices.Contains(p.Also, code):
			default:
				at(code).False++
			}
		}
	}
	var out []PerFault
	for _, code := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[code])
	}
	return out
}

// Table writes the scores as Markdown.
func Table(w io.Writer, all []Played, herrings int) {
	incidents := ScoreOf("", all).Incidents
	fmt.Fprintf(w, "%d incidents, %d of them with a red herring. Every call takes %v, CloudTrail is asked at its own pace.\n\n", incidents, herrings, Latency)
	fmt.Fprint(w, "| missing | right first | honest | wrong | false \"verified\" | pipelines exact | calls, median and most | time, median and most |\n|---|---|---|---|---|---|---|---|\n")
	names := []string{""}
	for _, s := range Sources() {
		names = append(names, s.Name)
	}
	for _, n := range names {
		s := ScoreOf(n, all)
		if s.Incidents == 0 {
			continue
		}
		if n == "" {
			n = "nothing"
		}
		fmt.Fprintf(w, "| %s | %d (%.1f %%) | %d | %d | %d | %d | %d, %d | %.1f s, %.1f s |\n", n, s.Right, 100*s.Accuracy(), s.Honest, s.Wrong, s.False, s.Blast,
			s.MedianCalls, s.Calls, s.MedianTime.Seconds(), s.Time.Seconds())
	}
	fmt.Fprint(w, "\n| fault | incidents | precision | recall |\n|---|---|---|---|\n")
	for _, f := range Faults(all) {
		fmt.Fprintf(w, "| `%s` | %d | %.2f | %.2f |\n", f.Code, f.True+f.Not, f.Precision(), f.Recall())
	}
}

// extra are the codes found that no want of the world names.
func (p Played) extra() []string {
	var all []string
	for _, code := range p.Found {
		if code != p.Label.Code && !slices.Contains(p.Also, code) {
			all = append(all, code)
		}
	}
	return all
}

// Misses writes the incidents that were not answered right, a line each.
func Misses(w io.Writer, all []Played) {
	for _, p := range all {
		extra := p.extra()
		if p.Word == Right && len(p.False) == 0 && p.Blast && (p.Missing != "" || len(extra) == 0) {
			continue
		}
		missing := p.Missing
		if missing == "" {
			missing = "nothing"
		}
		fmt.Fprintf(w, "%-7s %s, without %s: want %s/%s %s %v, got %s/%s %s %v", p.Word, p.Incident, missing, p.Label.Code, p.Label.Cause, p.Label.Bucket, p.Label.Blast,
			p.Got.Code, p.Got.Cause, p.Got.Bucket, p.Got.Blast)
		if len(p.False) > 0 {
			fmt.Fprintf(w, ", false: %s", strings.Join(p.False, " "))
		}
		if len(extra) > 0 {
			fmt.Fprintf(w, ", beside it: %s", strings.Join(extra, " "))
		}
		fmt.Fprintln(w)
	}
}
