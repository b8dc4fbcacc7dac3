package corpus_test

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/testkit/corpus"
	"github.com/unjam/unjam/lab"
)

var update = flag.Bool("update", false, "write docs/corpus.md anew")

const (
	root = "../../../corpus"
	page = "../../../docs/corpus.md"
)

const head = `# How well the diagnosis does

Written by ` + "`go test ./internal/testkit/corpus -update`" + `; a test fails when it no longer says what the program does. The incidents lie in
` + "`corpus/`" + `: each is a healthy world and the acts that broke it, and the act carries the label. *Right first*: the first finding is the
label's fault, cause and bucket. *Honest*: the fault is right and its cause weaker, or the verdict is unknown and a gap says why. *Wrong*: anything
else. *False "verified"*: causes called verified that are not what was done. Times are simulated; ` + "`go run ./cmd/unjam-corpus -misses`" + ` plays
it by hand and names every answer that is not right.

`

// TestBases: what every incident begins from is healthy. Nothing is found there and nothing is unknown.
func TestBases(t *testing.T) {
	bases, err := corpus.Bases(root)
	if err != nil || len(bases) == 0 {
		t.Fatalf("no base worlds: %v", err)
	}
	for _, b := range bases {
		t.Run(b.Name, func(t *testing.T) {
			b.Text = append(b.Text, []byte("\n# want clear connection-pending\n")...)
			if p := corpus.Play(t, b, corpus.Source{}); p.Word != corpus.Right || len(p.Found) > 0 {
				t.Errorf("a base world is not healthy: %+v", p)
			}
		})
	}
}

// TestCorpus plays every incident with nothing missing and with every source of evidence missing in turn, and holds the sums against
// the page in docs and against floors that no page can lower.
func TestCorpus(t *testing.T) {
	incidents, err := corpus.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	herrings := 0
	for _, in := range incidents {
		if in.Herring {
			herrings++
		}
	}
	if len(incidents) < 60 || 3*herrings < len(incidents) {
		t.Errorf("%d incidents, %d with a red herring: want at least 60 and a third", len(incidents), herrings)
	}
	all := playAll(t, incidents)
	floors(t, all)
	catalogue(t, all)
	var b bytes.Buffer
	b.WriteString(head)
	corpus.Table(&b, all, herrings)
	if *update {
		if err := os.WriteFile(page, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(old, b.Bytes()) {
		t.Errorf("docs/corpus.md is not what the program does now (-update writes it):\n%s", b.String())
	}
}

// floors are what no update of the page may go below.
func floors(t *testing.T, all []corpus.Played) {
	t.Helper()
	var misses strings.Builder
	wrong := 0
	for _, p := range all {
		if p.Word == corpus.Wrong {
			wrong++
		}
		if len(p.False) > 0 || (p.Missing == "" && (p.Word != corpus.Right || !p.Blast)) {
			corpus.Misses(&misses, []corpus.Played{p})
		}
		if p.Lookups > 6 {
			t.Errorf("%s without %q: %d look-ups of CloudTrail, want at most 6", p.Incident, p.Missing, p.Lookups)
		}
		if p.Calls > 120 || p.Time.Seconds() > 4 {
			t.Errorf("%s without %q: %d calls, %v: want at most 120 and 4 s", p.Incident, p.Missing, p.Calls, p.Time)
		}
	}
	s := corpus.ScoreOf("", all)
	if s.Accuracy() < 0.99 {
		t.Errorf("accuracy at 1 is %.3f, want at least 0.99", s.Accuracy())
	}
	if 100*wrong > len(all) {
		t.Errorf("%d of %d answers are wrong, with a source missing or none: want at most one in a hundred", wrong, len(all))
	}
	if misses.Len() > 0 {
		t.Errorf("answers that are false, or not right and exact with nothing missing:\n%s", misses.String())
	}
}

// catalogue: every read that the program may make is made somewhere, and nothing is called that the catalogue does not have. What only a
// flag asks for, and what whoami and probe ask, is shown elsewhere.
func catalogue(t *testing.T, all []corpus.Played) {
	t.Helper()
	called := map[string]bool{}
	for _, p := range all {
		for _, o := range p.Ops {
			called[o] = true
		}
	}
	known := map[string]bool{}
	for _, o := range op.All() {
		known[o.Key()] = true
		elsewhere := o.Write || o.Flag != "" || slices.Contains([]string{"DescribeOrganization", "ListAccountAliases", "DecodeAuthorizationMessage", "ListAnalyzers", "ListFindingsV2"}, o.Name)
		if !elsewhere && o.Key() != "organizations:ListTagsForResource" && !called[o.Key()] {
			t.Errorf("%s is in the catalogue and no incident calls it", o.Key())
		}
	}
	for o := range called {
		if old := strings.Replace(o, "codestar-connections:", "codeconnections:", 1); !known[o] && !known[old] {
			t.Errorf("%s is called and not in the catalogue", o)
		}
	}
}

// playAll plays the incidents on all cores, in a stable order.
func playAll(t *testing.T, incidents []corpus.Incident) []corpus.Played {
	sources := append([]corpus.Source{{}}, corpus.Sources()...)
	out := make([][]corpus.Played, len(incidents))
	next := make(chan int, len(incidents))
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				for _, s := range sources {
					out[i] = append(out[i], corpus.Play(t, incidents[i], s))
				}
			}
		})
	}
	for i := range incidents {
		next <- i
	}
	close(next)
	wg.Wait()
	var all []corpus.Played
	for _, played := range out {
		all = append(all, played...)
	}
	return all
}

// TestEverySourceInEveryWay plays one incident of each kind with every source of evidence denied, throttled for good, cut off, and slow:
// nothing wrong is said, a source that answers late is waited for, one that does not answer is a gap that says what it blocks, and
// everything else goes on.
func TestEverySourceInEveryWay(t *testing.T) {
	incidents, err := corpus.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range incidents {
		switch in.Name {
		case "pending-new-connection", "access-build-revoked", "host-group-closed", "unusable-branch-edited", "quota-throttled", "service-health":
		default:
			continue
		}
		for _, s := range corpus.Sources() {
			for kind, class := range map[string]fact.Class{lab.Denied: fact.Denied, lab.Throttled: fact.Throttled, lab.Reset: fact.Failed, lab.Slow: ""} {
				t.Run(in.Name+"/"+s.Name+"/"+kind, func(t *testing.T) {
					t.Parallel()
					s.Kind = kind
					p := corpus.Play(t, in, s)
					if p.Word == corpus.Wrong || len(p.False) > 0 {
						t.Errorf("%s: got %+v, false %v", p.Word, p.Got, p.False)
					}
					asked := slices.ContainsFunc(p.Ops, func(op string) bool { return ofSource(s, op) })
					lost := slices.ContainsFunc(p.Gaps, func(g report.Gap) bool { return g.Class == class && ofSource(s, g.Service+":"+g.Operation) })
					if class == "" && p.Word != corpus.Right {
						t.Errorf("a slow source changed the answer to %+v", p.Got)
					}
					if class != "" && asked && !lost {
						t.Errorf("the source was asked and did not answer, and no gap of class %s says so: %+v", class, p.Gaps)
					}
				})
			}
		}
	}
}

// ofSource reports whether an operation belongs to a source.
func ofSource(s corpus.Source, operation string) bool {
	service, name, _ := strings.Cut(operation, ":")
	return slices.Contains(s.Calls, service) || slices.Contains(s.Calls, service+":"+name)
}

// TestAbsentSources plays incidents in an account that lacks a source altogether: no trail, no recorder, no support plan, no organisation.
// The answer is right all the same, and the lack is said as such, not as a refusal.
func TestAbsentSources(t *testing.T) {
	incidents, err := corpus.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range incidents {
		if in.Name != "owned-branch-edited" && in.Name != "service-health" && in.Name != "access-build-revoked" {
			continue
		}
		for lacks, line := range map[string]string{"trail": "\nset trail=off\n", "recorder": "recorder ", "plan": "support "} {
			t.Run(in.Name+"/"+lacks, func(t *testing.T) {
				without := in
				if lacks == "trail" {
					without.Text = append(slices.Clone(in.Text), line...)
				} else { // every line that begins so goes
					without.Text = regexp.MustCompile(`(?m)^`+line+`.*$`).ReplaceAll(in.Text, nil)
				}
				p := corpus.Play(t, without, corpus.Source{})
				if p.Word == corpus.Wrong || len(p.False) > 0 {
					t.Errorf("%s: %+v", p.Word, p.Got)
				}
				for _, g := range p.Gaps {
					if g.Class != fact.Missing || g.Permission != "" || g.Why == "" {
						t.Errorf("gap %+v", g)
					}
				}
			})
		}
	}
}
