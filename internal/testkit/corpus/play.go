package corpus

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/testkit"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/world"
)

// Latency is how long every call takes in the corpus.
const Latency = 50 * time.Millisecond

// slow is how long a slow source takes for a call: longer than anybody likes to wait, shorter than the program gives up.
const slow = 3 * time.Second

// Played is what a diagnosis of one incident came to.
type Played struct {
	Incident string
	Missing  string // the source that was missing; "" for none
	Label    Label
	Got      Label // of the first finding; Code "" when nothing was found
	Word     Word
	Blast    bool     // the pipelines of the first finding are those of the label
	Found    []string // the codes of all findings above info
	Also     []string // codes of other wants: a second pipeline that fails is a finding too, though not the one that was asked for
	False    []string // claims of class verified that the label does not bear out
	Gaps     []report.Gap
	Ops      []string // operations called, "service:Operation"
	Lookups  int      // of CloudTrail among the calls
	Calls    int
	Time     time.Duration // simulated, with Latency a call
}

// Label says what is wrong.
type Label struct {
	Code, Cause, Bucket string
	Blast               []string // names of the pipelines that suffer, sorted
	Subject             string
}

// Word is the judgement on one answer.
type Word string

// The words.
const (
	Right  Word = "right"  // fault and cause are the label's
	Honest Word = "honest" // the fault is right and its cause weaker ("unknown" or likely), or the verdict is unknown with the gap named
	Wrong  Word = "wrong"
)

// Play diagnoses an incident on fake time, with a source of evidence missing; the zero Source leaves all of them.
func Play(t *testing.T, in Incident, missing Source) Played {
	var p Played
	synctest.Test(t, func(t *testing.T) {
		c := testkit.Start(t, in.Name, in.Text, func(c *cloud.Cloud) {
			for _, call := range missing.Calls {
				service, operation, _ := strings.Cut(call, ":")
				kind := lab.Denied
				if missing.Kind != "" {
					kind = missing.Kind
				}
				c.Injections = append(c.Injections, &cloud.Injection{Service: service, Operation: operation, Kind: kind, Delay: slow})
			}
		})
		c.Lab.Cloud.Within(func() { c.Lab.Cloud.Latency = Latency })
		label, err := labelOf(c.World)
		if err != nil {
			t.Fatalf("%s: %v", in.Name, err)
		}
		var ask app.Ask
		if in.Paged != "" {
			target, err := fact.ParseTarget(in.Paged)
			if err != nil {
				t.Fatalf("%s: %v", in.Name, err)
			}
			ask.Targets = []fact.Target{target}
		}
		start := time.Now()
		d, err := c.App.Diagnose(t.Context(), ask, faults.All(), nil)
		if err != nil {
			t.Fatalf("%s: diagnose: %v", in.Name, err)
		}
		p = judge(d, label, c)
		p.Incident, p.Missing, p.Time = in.Name, missing.Name, time.Since(start)
	})
	return p
}

// labelOf is the first want of the world that names a bucket; a world whose wants are all clear is labelled healthy.
func labelOf(w *world.World) (Label, error) {
	for _, x := range w.Wants {
		if x.Verdict != "found" || x.More["bucket"] == "" {
			continue // a want without a bucket is of something beside the incident
		}
		l := Label{Code: x.Code, Cause: x.Cause, Bucket: x.More["bucket"], Subject: x.Subject}
		if b := x.More["blast"]; b != "" {
			l.Blast = strings.Split(b, ",")
			slices.Sort(l.Blast)
		}
		if l.Cause == "" {
			return l, fmt.Errorf("the label of line %d lacks cause=", x.Line)
		}
		return l, nil
	}
	if len(w.Wants) == 0 {
		return Label{}, fmt.Errorf("no line carries a label")
	}
	return Label{}, nil
}

func judge(d *app.Diagnosis, label Label, c *testkit.Case) Played {
	p := Played{Label: label, Calls: d.Report.Calls.Total, Lookups: d.Report.Calls.ByOperation["cloudtrail:LookupEvents"], Gaps: d.Report.Gaps, Ops: slices.Sorted(maps.Keys(d.Report.Calls.ByOperation)), Word: Wrong}
	for _, w := range c.World.Wants {
		if w.Verdict == "found" {
			p.Also = append(p.Also, w.Code)
		}
	}
	var first *fault.Finding
	for i, f := range d.Report.Findings {
		if f.Severity == fault.Info {
			continue
		}
		if first == nil {
			first = &d.Report.Findings[i]
		}
		p.Found = append(p.Found, string(f.Code))
		p.False = append(p.False, falseClaims(f, label, c)...)
	}
	if first != nil {
		p.Got = Label{Code: string(first.Code), Cause: first.Cause.Code, Bucket: string(first.Bucket), Subject: first.Subject.Name, Blast: pipelines(*first)}
	}
	p.Blast = slices.Equal(p.Got.Blast, label.Blast)
	switch {
	case label.Code == "" && first == nil:
		p.Word = Right
	case label.Code == "":
	case first == nil && d.Report.Blind():
		p.Word = Honest
	case first == nil:
	case p.Got.Code == label.Code && p.Got.Cause == label.Cause && p.Got.Bucket == label.Bucket:
		p.Word = Right
	case slices.Contains(p.Also, p.Got.Code) && p.Got.Code != label.Code && unknown(d, label.Code):
		p.Word = Honest // what was asked for could not be seen, and the other thing is true
	case p.Got.Code == label.Code && (first.Cause.Class == fault.Unclear || first.Cause.Code == "unknown"):
		p.Word = Honest
	}
	return p
}

// unknown reports whether a fault's verdict is unknown in some Region.
func unknown(d *app.Diagnosis, code string) bool {
	return slices.ContainsFunc(d.Report.Results, func(r report.Result) bool { return string(r.Code) == code && r.Verdict == fault.Unknown })
}

// falseClaims are the causes that a finding calls verified and that are not what was done.
func falseClaims(f fault.Finding, label Label, c *testkit.Case) []string {
	if f.Cause.Class != fault.Verified {
		return nil
	}
	for _, w := range c.World.Wants {
		if w.Verdict == "found" && w.Code == string(f.Code) && (w.Cause == "" || w.Cause == f.Cause.Code) {
			return nil
		}
	}
	return []string{string(f.Code) + "/" + f.Cause.Code}
}

// pipelines are the names of the pipelines that a finding is about, sorted.
func pipelines(f fault.Finding) []string {
	var all []string
	for _, s := range append([]fault.Subject{f.Subject}, f.Affects...) {
		if s.Kind == "pipeline" {
			all = append(all, s.Name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
