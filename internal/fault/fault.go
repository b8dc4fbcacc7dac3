// Package fault is the contract of a fault and its driver: a fault looks at a snapshot and says what is wrong and what it
// still wants to know; the driver turns that into verdicts. It never reads anything and never changes anything.
package fault

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/plan"
)

// Code names a fault: "connection-pending".
type Code string

// Fault is one kind of trouble, as a value.
type Fault struct {
	Code     Code
	Doc      Doc
	Reads    []fact.Kind // what it may ask for: feeds the documentation and the policies
	Explains []Code      // symptoms folded under a finding of this fault
	Rest     bool        // it says what no other fault does: dropped where others carry the same evidence
	// Diagnose judges a snapshot. It neither reads nor remembers anything: it is called again after every round of
	// collecting, and names all its queries each time, answered or not.
	Diagnose func(*fact.Snapshot) Judgement
	// Plan drafts the repair of one finding; nil when only a report is possible.
	Plan func(*fact.Snapshot, Finding, plan.Options) plan.Draft
}

// Judgement is what a fault says of a snapshot.
type Judgement struct {
	Findings []Finding
	Needs    []fact.Query // without an answer to each of these there is no Clear
	Helps    []fact.Query // these make the cause surer; without them the claim is weaker
	// Withheld are failures that the fault would answer for and cannot, since something that it needs is not read: no rest fault takes them,
	// and its verdict is unknown as well.
	Withheld []Withheld
}

// Withheld is one of them.
type Withheld struct {
	Failure string       // Current.Name
	Needs   []fact.Query // not all of them are answered
}

// Withhold keeps a failure from the rest faults as long as the queries are not all answered.
func (j *Judgement) Withhold(s *fact.Snapshot, failure string, needs []fact.Query) {
	if slices.ContainsFunc(needs, func(q fact.Query) bool { return !s.Answered(q) }) {
		j.Withheld = append(j.Withheld, Withheld{Failure: failure, Needs: needs})
	}
}

// Need adds queries that a Clear depends on.
func (j *Judgement) Need(q ...fact.Query) { j.Needs = append(j.Needs, q...) }

// Help adds queries that make a finding better.
func (j *Judgement) Help(q ...fact.Query) { j.Helps = append(j.Helps, q...) }

// Doc is everything the program says about a fault apart from findings.
type Doc struct {
	Title    string
	Symptom  string // what the user sees
	Text     string // what it is
	Causes   []CauseDoc
	See      []string // how to see it by hand, commands
	Remedy   string
	Severity Severity
	Bucket   Bucket
	Links    []string // public pages
	Since    string   // version of unjam
}

// CauseDoc documents one cause.
type CauseDoc struct {
	Code, Text, Evidence, Remedy string
}

// Severity orders findings.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

// Rank is 0 for critical and 4 for info.
func (s Severity) Rank() int { return slices.Index([]Severity{Critical, High, Medium, Low, Info}, s) }

// Bucket says whose matter a finding is.
type Bucket string

// The buckets.
const (
	Person        Bucket = "human"
	IAM           Bucket = "iam"
	Network       Bucket = "network"
	Quota         Bucket = "quota"
	Configuration Bucket = "configuration"
	Provider      Bucket = "provider"
	Service       Bucket = "service"
)

// Class says how sure a claim is.
type Class string

// The classes of claims, surest first.
const (
	Verified  Class = "verified"  // an API reply says so
	Reported  Class = "reported"  // an error text or an event says so
	Simulated Class = "simulated" // the policy simulator says so: never proof
	Inferred  Class = "inferred"  // it follows from other facts
	Unclear   Class = "unknown"
)

// Lens adds to a finding what no single fault knows: its history, the other buckets. It asks as a fault does, and is called again
// after every round.
type Lens func(*fact.Snapshot, *Finding) []fact.Query

// maxLooked is how many findings the lenses look at, the most important first: what they ask for must not grow with an account.
const maxLooked = 10

// Look lets the lenses add to the first ten findings of an outcome, and to its wants and blocks.
func (o *Outcome) Look(s *fact.Snapshot, lenses ...Lens) {
	wanted := map[string]fact.Query{}
	for _, w := range o.Wants {
		wanted[w.Key()] = w
	}
	for i := range o.Findings[:min(len(o.Findings), maxLooked)] {
		f := &o.Findings[i]
		for _, lens := range lenses {
			for _, q := range lens(s, f) {
				k := q.Key()
				if !s.Settled(q) {
					wanted[k] = q
				} else if !s.Answered(q) && !slices.Contains(o.Blocks[k], f.Code) {
					o.Blocks[k] = append(o.Blocks[k], f.Code)
				}
			}
		}
	}
	o.Wants = slices.SortedFunc(maps.Values(wanted), func(a, b fact.Query) int { return strings.Compare(a.Key(), b.Key()) })
}

// Verdict is the driver's word on one fault in one scope.
type Verdict string

// The verdicts.
const (
	Found   Verdict = "found"
	Clear   Verdict = "clear"
	Unknown Verdict = "unknown"
)

// Result is a verdict with what it rests on.
type Result struct {
	Code     Code
	Scope    fact.Scope
	Verdict  Verdict
	Findings []Finding
}

// Outcome is everything the driver has to say about a snapshot.
type Outcome struct {
	Results  []Result
	Findings []Finding         // folded, most important first
	Wants    []fact.Query      // still to be read, in a stable order
	Blocks   map[string][]Code // by Query.Key of a gap: the faults that asked for it
}

// Run judges a snapshot. Verdicts are per fault and Region asked: Found when there is a finding in the Region, Clear when
// everything the fault needs was answered, Unknown otherwise.
func Run(s *fact.Snapshot, faults ...*Fault) Outcome {
	out := Outcome{Blocks: map[string][]Code{}}
	var all []Finding
	wanted := map[string]fact.Query{}
	judged := make([]Judgement, len(faults))
	for i, f := range faults {
		j := f.Diagnose(s)
		judged[i] = j
		for i := range j.Findings {
			j.Findings[i].Code = f.Code
			j.Findings[i].ID = findingID(f.Code, j.Findings[i])
		}
		for _, q := range slices.Concat(j.Needs, j.Helps) {
			k := q.Key()
			if !s.Settled(q) {
				wanted[k] = q
			} else if !s.Answered(q) && !slices.Contains(out.Blocks[k], f.Code) {
				out.Blocks[k] = append(out.Blocks[k], f.Code)
			}
		}
		all = append(all, j.Findings...)
	}
	all = rest(all, faults, judged)
	for i, f := range faults {
		j := judged[i]
		if f.Rest {
			j.Needs = append(slices.Clone(j.Needs), withheld(j.Findings, judged)...)
			j.Findings = slices.DeleteFunc(slices.Clone(all), func(x Finding) bool { return x.Code != f.Code })
		}
		out.Results = append(out.Results, verdicts(s, f, j)...)
	}
	for _, q := range wanted {
		out.Wants = append(out.Wants, q)
	}
	slices.SortFunc(out.Wants, func(a, b fact.Query) int { return strings.Compare(a.Key(), b.Key()) })
	out.Findings = order(s, fold(all, faults), faults)
	return out
}

// rest drops the findings of rest faults whose every failure is evidence of another finding, or withheld by another fault.
func rest(all []Finding, faults []*Fault, judged []Judgement) []Finding {
	is := map[Code]bool{}
	for _, f := range faults {
		is[f.Code] = f.Rest
	}
	shown := map[string]bool{}
	for _, j := range judged {
		for _, w := range j.Withheld {
			shown[w.Failure] = true
		}
	}
	for _, f := range all {
		for _, e := range f.Evidence {
			shown[e.Field] = shown[e.Field] || !is[f.Code]
		}
	}
	return slices.DeleteFunc(all, func(f Finding) bool {
		return is[f.Code] && !slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return !shown[e.Field] })
	})
}

// withheld are the needs of faults that withhold a failure which findings show.
func withheld(findings []Finding, judged []Judgement) []fact.Query {
	var needs []fact.Query
	for _, j := range judged {
		for _, w := range j.Withheld {
			if slices.ContainsFunc(findings, func(f Finding) bool {
				return slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return e.Field == w.Failure })
			}) {
				needs = append(needs, w.Needs...)
			}
		}
	}
	return needs
}

func verdicts(s *fact.Snapshot, f *Fault, j Judgement) []Result {
	var all []Result
	for i, region := range s.Question().Regions {
		r := Result{Code: f.Code, Scope: fact.Scope{Account: s.Question().Account, Region: region}, Verdict: Clear}
		for _, x := range j.Findings {
			if concerns(x, region) || (i == 0 && !slices.ContainsFunc(s.Question().Regions, func(asked string) bool { return concerns(x, asked) })) {
				r.Findings = append(r.Findings, x)
			}
		}
		switch {
		case len(r.Findings) > 0:
			r.Verdict = Found
		case !proven(s, j.Needs, region):
			r.Verdict = Unknown
		}
		all = append(all, r)
	}
	return all
}

// proven reports whether a Clear is justified in a Region: something was needed there, and all of it was answered. What is needed in a Region
// that was not asked about, as the bucket of an action that runs elsewhere, counts for every Region.
func proven(s *fact.Snapshot, needs []fact.Query, region string) bool {
	n := 0
	for _, q := range needs {
		if q.Scope.Region != "" && q.Scope.Region != region && slices.Contains(s.Question().Regions, q.Scope.Region) {
			continue
		}
		n++
		if !s.Answered(q) {
			return false
		}
	}
	return n > 0
}

// concerns reports whether a finding belongs to a Region: its subject lives there, or something it affects does. One that belongs to
// no Region asked, about a connection elsewhere, counts for the first.
func concerns(f Finding, region string) bool {
	if f.Subject.Region == region {
		return true
	}
	for _, a := range f.Affects {
		if a.Region == region {
			return true
		}
	}
	return false
}

func findingID(code Code, f Finding) string {
	name := f.Subject.ARN // a name may be learned only later: the ID stays
	if name == "" {
		name = f.Subject.Account + "/" + f.Subject.Region + "/" + f.Subject.Name
	}
	d := fact.DigestOf([]string{string(code), f.Subject.Kind, name})
	b, err := hex.DecodeString(strings.TrimPrefix(string(d), "sha256:"))
	if err != nil {
		panic("fault: digest is not hex")
	}
	return fmt.Sprintf("%s/%x", code, b[:5])
}

// fold puts symptoms under the causes that explain them: a finding of an explained code whose subject is the cause's
// subject, is affected by it, or affects it.
func fold(all []Finding, faults []*Fault) []Finding {
	explains := map[Code][]Code{}
	for _, f := range faults {
		explains[f.Code] = f.Explains
	}
	var kept []Finding
	for i := range all {
		hidden := false
		for j := range all {
			if i != j && slices.Contains(explains[all[j].Code], all[i].Code) && related(all[j], all[i]) {
				all[j].Explained = append(all[j].Explained, Explained{Code: all[i].Code, Subject: all[i].Subject, Message: all[i].Message})
				hidden = true
				break
			}
		}
		if !hidden {
			kept = append(kept, all[i])
		}
	}
	// The copies in kept were taken before later symptoms were folded under them: take the final form.
	for k := range kept {
		for i := range all {
			if all[i].ID == kept[k].ID {
				kept[k] = all[i]
			}
		}
	}
	return kept
}

func related(cause, symptom Finding) bool {
	if cause.Subject.ARN == symptom.Subject.ARN {
		return true
	}
	for _, a := range cause.Affects {
		if a.ARN == symptom.Subject.ARN {
			return true
		}
	}
	for _, a := range symptom.Affects {
		if a.ARN == cause.Subject.ARN {
			return true
		}
	}
	return false
}

// order sorts findings: those about a target first, then by severity, those that explain something before those that only repeat AWS's
// words, then by number of things affected, by ID.
func order(s *fact.Snapshot, all []Finding, faults []*Fault) []Finding {
	last := func(f Finding) int {
		if slices.ContainsFunc(faults, func(x *Fault) bool { return x.Rest && x.Code == f.Code }) {
			return 1
		}
		return 0
	}
	about := func(f Finding) int {
		for _, t := range s.Question().Targets {
			if f.Subject.ARN == t.Name || (f.Subject.Kind == "pipeline" && f.Subject.Name == t.Name) {
				return 0
			}
			for _, a := range f.Affects {
				if a.Kind == "pipeline" && a.Name == t.Name {
					return 0
				}
			}
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(about(a), about(b)), cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), cmp.Compare(last(a), last(b)),
			cmp.Compare(len(b.Affects), len(a.Affects)), strings.Compare(a.ID, b.ID))
	})
	return all
}

// Validate reports what is wrong with a set of faults: double codes, missing documentation, a symptom nobody knows.
func Validate(faults []*Fault) error {
	known := map[Code]bool{}
	for _, f := range faults {
		if f.Code == "" || known[f.Code] {
			return fmt.Errorf("validate faults: code %q is empty or double", f.Code)
		}
		known[f.Code] = true
		d := f.Doc
		if d.Title == "" || d.Symptom == "" || d.Text == "" || d.Remedy == "" || d.Since == "" || d.Severity.Rank() < 0 || d.Bucket == "" || len(d.Causes) == 0 ||
			slices.ContainsFunc(d.Causes, func(c CauseDoc) bool { return c.Code == "" || c.Text == "" }) {
			return fmt.Errorf("validate faults: %s: its Doc is not complete", f.Code)
		}
		if f.Diagnose == nil || len(f.Reads) == 0 {
			return fmt.Errorf("validate faults: %s: it has no Diagnose or reads nothing", f.Code)
		}
	}
	for _, f := range faults {
		for _, c := range f.Explains {
			if !known[c] {
				return fmt.Errorf("validate faults: %s explains %s, which is no fault", f.Code, c)
			}
		}
	}
	return nil
}
