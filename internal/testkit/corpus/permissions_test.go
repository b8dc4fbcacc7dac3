package corpus_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/tools/txtar"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/report"
	"github.com/unjam/unjam/internal/testkit"
	"github.com/unjam/unjam/internal/testkit/corpus"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/world"
)

// scene is a world with the question that is asked of it.
type scene struct {
	name, text string
	about      []string // targets, by their names in the world
}

// scenes are the worlds that come with the lab, those that prove the faults, and the incidents.
func scenes(t *testing.T) []scene {
	t.Helper()
	var all []scene
	for _, name := range world.Worlds() {
		text, err := world.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, scene{name: name, text: string(text)})
	}
	files, err := filepath.Glob("../../../faults/*/testdata/*.txtar")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d worlds of faults: %v", len(files), err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		ar := txtar.Parse(text)
		s := scene{name: filepath.Base(filepath.Dir(filepath.Dir(f))) + "/" + filepath.Base(f), text: string(ar.Comment)}
		for _, x := range ar.Files {
			if x.Name == "args" {
				s.about = strings.Fields(string(x.Data))
			}
		}
		all = append(all, s)
	}
	incidents, err := corpus.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range incidents {
		s := scene{name: "corpus/" + in.Name, text: string(in.Text)}
		if in.Paged != "" {
			s.about = []string{in.Paged}
		}
		all = append(all, s)
	}
	return all
}

// seen is what a diagnosis with a policy came to.
type seen struct {
	report report.Diagnosis
	calls  []cloud.Call
}

// ask plays a scene and asks as a role with a policy, from where the world's `you` asks.
func (s scene) ask(t *testing.T, policy string, tweak ...func(*cloud.Cloud)) seen {
	t.Helper()
	var out seen
	text := s.text + "\nrole Asker policy=<<JSON\n" + policy + "\nJSON\ncaller asker role=Asker\n"
	synctest.Test(t, func(t *testing.T) {
		c := testkit.Start(t, s.name, []byte(text), tweak...)
		c.Files["args"] = strings.Join(s.about, " ")
		asker := c.Lab.Cloud.CallerByName("asker")
		asker.Place = c.World.Default.Place
		d, err := c.As(t, asker).Diagnose(t.Context(), c.Ask(t), faults.All(), nil)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		out = seen{report: d.Report, calls: c.Lab.Cloud.Ledger()}
	})
	return out
}

// says is a diagnosis as far as a policy must not change it: verdicts, findings with their causes, gaps.
func (s seen) says() []string {
	var all []string
	for _, r := range s.report.Results {
		all = append(all, fmt.Sprintf("%s %s %s", r.Code, r.Region, r.Verdict))
	}
	for _, f := range s.report.Findings {
		all = append(all, fmt.Sprintf("%s %s %s %s affects %d", f.ID, f.Severity, f.Cause.Code, f.Cause.Class, len(f.Affects)))
	}
	for _, g := range s.report.Gaps {
		all = append(all, fmt.Sprintf("gap %s:%s %s %s %s", g.Service, g.Operation, g.Region, g.About, g.Class))
	}
	slices.Sort(all)
	return all
}

// refused are the calls that were denied, "service:Operation".
func (s seen) refused() map[string]int {
	n := map[string]int{}
	for _, k := range s.calls {
		if strings.Contains(k.ErrorCode, "AccessDenied") || strings.Contains(k.ErrorCode, "Unauthorized") {
			n[k.Service+":"+k.Operation]++
		}
	}
	return n
}

const everything = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`

// without is the policy for reading with one action taken out.
func without(action string) string {
	d := op.ReadPolicy("aws", "*")
	var kept []op.Statement
	for _, st := range d.Statement {
		st.Action = slices.DeleteFunc(slices.Clone(st.Action), func(a string) bool { return a == action })
		if len(st.Action) > 0 {
			kept = append(kept, st)
		}
	}
	d.Statement = kept
	return d.String()
}

// TestReadPolicy: with exactly the policy of `unjam permissions --for read` every world says the same as with every permission there is;
// and with any one action taken out of it, what is then denied is a gap that names the action, and no verdict turns into anything but unknown.
func TestReadPolicy(t *testing.T) {
	all := scenes(t)
	golden := make([]seen, len(all))
	t.Run("same", func(t *testing.T) {
		for i, s := range all {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				golden[i] = s.ask(t, without(""))
				want, got := s.ask(t, everything).says(), golden[i].says()
				if !slices.Equal(want, got) {
					t.Errorf("with everything allowed:\n%s\nwith the policy:\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
				}
			})
		}
	})
	t.Run("without", func(t *testing.T) {
		for _, action := range actions() {
			t.Run(action, func(t *testing.T) {
				t.Parallel()
				missed(t, action, all, golden)
			})
		}
	})
}

func actions() []string {
	set := map[string]bool{}
	for _, st := range op.ReadPolicy("aws", "*").Statement {
		for _, a := range st.Action {
			set[a] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// beside are the actions that no diagnosis of these scenes needs, and what does.
var beside = map[string]string{
	"organizations:DescribeOrganization": "unjam whoami",
	"iam:ListAccountAliases":             "the gate that has a production account named",
	"organizations:ListTagsForResource":  "the gate that looks for a sandbox account",
	"access-analyzer:ListAnalyzers":      "unjam verify, after roles were changed",
	"access-analyzer:ListFindings":       "unjam verify, after roles were changed",
	"sts:DecodeAuthorizationMessage":     "access-denied, where AWS encodes the reason: no failed action of a scene does",
}

// missed plays scenes whose diagnosis needs an action without it, until one is refused.
func missed(t *testing.T, action string, all []scene, golden []seen) {
	t.Helper()
	tried := 0
	var tweak []func(*cloud.Cloud)
	if name, old := strings.CutPrefix(action, "codestar-connections:"); old && name != "GetConnection" && name != "ListTagsForResource" {
		// AWS checks what lists need under the prefix that is called: the older one, where an endpoint does not know the newer one.
		tweak = append(tweak, func(c *cloud.Cloud) {
			c.Injections = append(c.Injections, &cloud.Injection{Service: "codeconnections", Kind: lab.Unknown})
		})
	}
	for i, s := range all {
		if !slices.ContainsFunc(golden[i].calls, func(k cloud.Call) bool { return needs(k, action) }) {
			continue
		}
		if use, ok := beside[action]; ok {
			t.Errorf("%s needs it, which should be only for %s", s.name, use)
			return
		}
		tried++
		d := s.ask(t, without(action), tweak...)
		if maps.Equal(d.refused(), golden[i].refused()) {
			continue
		}
		if !slices.ContainsFunc(d.report.Gaps, func(g report.Gap) bool { return g.Class == fact.Denied && g.Permission == action }) {
			t.Errorf("%s: refused %v, and no gap names the action:\n%s", s.name, d.refused(), strings.Join(d.says(), "\n"))
		}
		for k, r := range d.report.Results {
			if was := golden[i].report.Results[k]; r.Code != was.Code || r.Verdict != was.Verdict && r.Verdict != fault.Unknown {
				t.Errorf("%s: %s turned from %s into %s", s.name, was.Code, was.Verdict, r.Verdict)
			}
		}
		if golden[i].report.Exit() != 0 && d.report.Exit() == 0 {
			t.Errorf("%s: exit code 0, with the whole policy %d", s.name, golden[i].report.Exit())
		}
		return
	}
	if beside[action] == "" {
		t.Errorf("%d scenes need it, and none was refused anything", tried)
	}
}

// needs reports whether a call was made of an operation that an action is for.
func needs(k cloud.Call, action string) bool {
	return slices.ContainsFunc(op.All(), func(o op.Op) bool {
		return o.Name == k.Operation && slices.Contains(o.Actions, action) && (o.Service == k.Service || o.Service == "codeconnections" && k.Service == "codestar-connections" || o.Service == "cloudwatch" && k.Service == "monitoring")
	})
}
