package collect

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

// questions are one query of every kind the lab answers without a pipeline, by the operation that answers it.
func questions(connection string) map[string]fact.Query {
	return map[string]fact.Query{
		"sts:GetCallerIdentity":               {Scope: scope("eu-west-1"), Kind: fact.KindIdentity},
		"account:ListRegions":                 {Scope: scope(""), Kind: fact.KindRegion},
		"codeconnections:ListConnections":     {Scope: scope("eu-west-1"), Kind: fact.KindConnection},
		"codeconnections:GetConnection":       {Scope: scope(""), Kind: fact.KindConnection, ID: connection},
		"codeconnections:ListTagsForResource": {Scope: scope(""), Kind: fact.KindTags, ID: connection},
		"codeconnections:ListHosts":           {Scope: scope("eu-west-1"), Kind: fact.KindHost},
		"cloudtrail:LookupEvents":             {Scope: scope("eu-west-1"), Kind: fact.KindEvent, ID: "CreateConnection"},
		"iam:ListRoles":                       {Scope: scope(""), Kind: fact.KindRole, ID: "/"},
		"iam:SimulatePrincipalPolicy": {Scope: scope(""), Kind: fact.KindSimulation, ID: "arn:aws:iam::" + accountID + ":user/ada",
			Args: map[string]string{"actions": "iam:ListRoles", "resources": "*"}},
	}
}

// Each call, struck by each error that stays: its query becomes a gap of the right class, and every other is answered.
// The same error, once: a read that can be repeated is.
func TestInjections(t *testing.T) {
	classes := map[string]fact.Class{
		lab.Denied: fact.Denied, lab.Throttled: fact.Throttled, lab.Expired: fact.Expired, lab.Reset: fact.Failed, lab.Timeout: fact.Timeout,
		lab.HTML: fact.Failed, lab.HTML503: fact.Failed, lab.Half: fact.Failed, lab.Unknown: fact.Unsupported, lab.LostReply: fact.Failed,
	}
	repeated := []string{lab.Throttled, lab.Reset, lab.Timeout, lab.HTML503, lab.Half, lab.LostReply}
	for target := range questions("") {
		for kind, class := range classes {
			t.Run(target+" "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l, c := live(t, allowAll)
					fresh, _ := both(t, c)
					asked := questions(fresh)
					o, ok := find(target)
					if !ok {
						t.Fatalf("%s is not in the catalogue", target)
					}
					strike := func(times int) *fact.Snapshot {
						l.Cloud.Within(func() {
							l.Cloud.Injections = []*cloud.Injection{{Service: o.Service, Operation: o.Name, Kind: kind, Times: times}}
							if kind == lab.Unknown && o.Service == "codeconnections" { // the other name of the service fails too
								l.Cloud.Injections = append(l.Cloud.Injections, &cloud.Injection{Service: "codestar-connections", Kind: kind})
							}
						})
						var queries []fact.Query
						for _, q := range asked {
							queries = append(queries, q)
						}
						return ask(t, c, queries...)
					}
					s := strike(0)
					for name, q := range asked {
						g, missed := s.GapOf(q)
						if name != target && (missed || !s.Answered(q)) {
							t.Errorf("%s is missing too: %+v", name, g)
						}
						if name == target && (!missed || g.Class != class || g.Why == "" || g.Source.Operation != o.Name || (g.Permission != "") != (class == fact.Denied)) {
							t.Errorf("gap %+v", g)
						}
					}
					time.Sleep(time.Minute) // the pace recovers
					s = strike(1)
					if got := s.Answered(asked[target]); got != slices.Contains(repeated, kind) {
						t.Errorf("struck once: answered %v, gaps %+v", got, s.Gaps())
					}
				})
			})
		}
	}
}

func find(key string) (op.Op, bool) {
	for _, o := range op.All() {
		if o.Key() == key {
			return o, true
		}
	}
	return op.Op{}, false
}

// Equal queries are one call, however they are written down, and each is told of once.
func TestNoCallTwice(t *testing.T) {
	l, c := live(t, allowAll)
	fresh, _ := both(t, c)
	var queries []fact.Query
	for _, q := range questions(fresh) {
		queries = append(queries, q, q)
		if q.Args != nil {
			q.Args = map[string]string{"resources": q.Args["resources"], "actions": q.Args["actions"]}
			queries = append(queries, q)
		}
	}
	before := len(l.Cloud.Ledger())
	told := map[string]int{}
	c.OnReply = func(q fact.Query) { told[q.Key()]++ }
	ask(t, c, queries...)
	calls := map[string]int{}
	for _, k := range l.Cloud.Ledger()[before:] {
		calls[k.Service+":"+k.Operation]++
		if !k.ReadOnly {
			t.Errorf("%s:%s is not a read", k.Service, k.Operation)
		}
	}
	for name := range questions(fresh) {
		if calls[name] != 1 {
			t.Errorf("%s was called %d times", name, calls[name])
		}
	}
	if len(told) != len(questions(fresh)) {
		t.Errorf("told of %d queries", len(told))
	}
	for k, n := range told {
		if n != 1 {
			t.Errorf("told %d times of %q", n, k)
		}
	}
}

// Every kind that a read of the catalogue answers is collected: its first call is made. That every read is called is shown where there
// is something to read (internal/testkit/corpus).
func TestEveryKindIsCollected(t *testing.T) {
	c, w := script(t, nil)
	total := func() (n int) {
		for _, calls := range w.asked {
			n += len(calls)
		}
		return n
	}
	for _, o := range op.All() {
		if o.Write {
			continue
		}
		q := fact.Query{Scope: scope("eu-west-1"), Kind: o.Kind, ID: "arn:aws:codeconnections:eu-west-1:111111111111:connection/1", Args: map[string]string{"actions": "a:b", "version": "1", "document": "{}", "existing": "{}", "type": "AWS::CodePipeline::Pipeline"}}
		if o.Name == "ListConnections" {
			q.ID = ""
		}
		if o.Service == "s3" {
			q.ID = "builds"
		}
		if o.Kind == fact.KindRecord {
			q.ID = "Z0123456789/www.acme.example./CNAME"
		}
		before := total()
		g, ok := ask(t, c, q).GapOf(q) // the script knows no operation
		if total() == before || !ok || strings.Contains(g.Why, "no such kind") {
			t.Errorf("%s: gap %+v", o.Key(), g)
		}
	}
	q := fact.Query{Kind: "no such"}
	if g, ok := ask(t, c, q).GapOf(q); !ok || g.Class != fact.Failed {
		t.Errorf("unknown kind: gap %+v", g)
	}
}

// The queries run at once, but never more than inFlight, and the facts come in the same order however they arrive.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		w := &canned{replies: map[string][]string{"codepipeline:GetPipelineState": {`{"pipelineName":"p","stageStates":[]}`}}}
		c := over(t, transport(func(r *http.Request) (*http.Response, error) {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer running.Add(-1)
			time.Sleep(3 * time.Second)
			return w.RoundTrip(r)
		}), keysOf())
		var queries []fact.Query
		for i := range 100 {
			queries = append(queries, fact.Query{Scope: scope("eu-west-1"), Kind: fact.KindPipelineState, ID: fmt.Sprintf("p%03d", i)})
		}
		s := ask(t, c, queries...)
		if most.Load() != inFlight || len(all[fact.PipelineState](s)) != 100 {
			t.Errorf("%d at once, %d answers", most.Load(), len(all[fact.PipelineState](s)))
		}
	})
}
