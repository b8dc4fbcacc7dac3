package guard_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

const (
	account = "111111111111"
	sandbox = "222222222222"
	ada     = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_OnCall_0123456789abcdef/Ada@example.com"
	bob     = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Admin_fedcba9876543210/bob@example.com"
	eve     = "arn:aws:iam::111111111111:user/eve"
	deploy  = "arn:aws:sts::111111111111:assumed-role/Deploy/session-1"
)

// now is a Monday noon, UTC.
func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// call is a step that can be taken back.
func call(id string) plan.Step {
	s := plan.NewCall(id, "hold web", fact.PipelineRef(fact.Scope{Account: account, Region: "eu-west-1"}, "web"), plan.Action{
		Service: "codepipeline", Operation: "DisableStageTransition", Region: "eu-west-1",
		Input: op.Input{"pipelineName": "web", "stageName": "Build", "transitionType": "Inbound", "reason": "test"},
	})
	return s
}

// oneWay is a step that needs a consent.
func oneWay(id string) plan.Step {
	s := plan.NewCall(id, "retry web", fact.PipelineRef(fact.Scope{Account: account, Region: "eu-west-1"}, "web"), plan.Action{
		Service: "codepipeline", Operation: "RetryStageExecution", Region: "eu-west-1", Input: op.Input{"pipelineName": "web", "stageName": "Source"},
	})
	s.Blast = []plan.Effect{{What: "Deploy-Production runs", Production: true}}
	return s
}

// planOf is a plan made by ada an hour ago.
func planOf(steps ...plan.Step) plan.Plan {
	p := plan.Plan{Schema: plan.Schema, CreatedAt: now().Add(-time.Hour), ExpiresAt: now().Add(23 * time.Hour), Account: account, Principal: ada, Steps: steps}
	p.ID = p.Digest()
	return p
}

// past is a journal in memory.
type past struct {
	writes []guard.Write
	shapes []guard.ShapeRun
	newest time.Time
	err    error
}

func (p past) Writes(since time.Time) ([]guard.Write, error) {
	return slices.DeleteFunc(slices.Clone(p.writes), func(w guard.Write) bool { return w.At.Before(since) }), p.err
}
func (p past) Shapes(since time.Time) ([]guard.ShapeRun, error) {
	return slices.DeleteFunc(slices.Clone(p.shapes), func(s guard.ShapeRun) bool { return s.At.Before(since) }), p.err
}
func (p past) Newest() (time.Time, error) { return p.newest, p.err }

// request is one that every gate lets pass when there is no policy.
func request(steps ...plan.Step) guard.Request {
	if len(steps) == 0 {
		steps = []plan.Step{call("hold")}
	}
	return guard.Request{Plan: planOf(steps...), Account: account, By: guard.PersonOf(ada, ""), Now: now(), Past: past{}}
}

// policy parses one that must be right.
func policy(t testing.TB, text string) guard.Policy {
	t.Helper()
	p, err := guard.ParsePolicy("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// refused demands a refusal by one gate, with a word in it, and no other.
func refused(t *testing.T, err error, gate, word string) *guard.Refused {
	t.Helper()
	all := guard.Refusals(err)
	if len(all) != 1 || all[0].Gate != gate || !strings.Contains(all[0].Why, word) {
		t.Fatalf("got %v, want a refusal by the gate %s that says %q and no other", err, gate, word)
	}
	return all[0]
}

// passes demands an admission.
func passes(t *testing.T, p guard.Policy, r guard.Request) guard.Admission {
	t.Helper()
	a, err := p.Admit(r)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return a
}

// key makes a key that is the same at every run, in OpenSSH's form, and its public line.
func key(t testing.TB, name string) (file, public string) {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	k := ed25519.NewKeyFromSeed(seed[:])
	block, err := ssh.MarshalPrivateKey(k, name)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "id_"+name)
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	pub, err := ssh.NewPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return file, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))
}

// approval is by a caller of the plan, unsigned, half an hour old.
func approval(p plan.Plan, by string) guard.Approval {
	return guard.Approval{
		Schema: guard.ApprovalSchema, PlanID: p.ID, By: by, Person: guard.PersonOf(by, ""),
		CreatedAt: now().Add(-30 * time.Minute), ExpiresAt: now().Add(8 * time.Hour),
	}
}

// sign signs with the key of a name.
func sign(t testing.TB, a guard.Approval, name string) guard.Signed {
	t.Helper()
	file, _ := key(t, name)
	k, err := guard.OpenKey(file, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if a, err = k.Sign(a); err != nil {
		t.Fatal(err)
	}
	return guard.Signed{Approval: a, File: name}
}

// trusting is a policy with signers, one line each.
func trusting(t testing.TB, text string, lines ...string) guard.Policy {
	t.Helper()
	p, err := policy(t, text).Trust("allowed_signers", []byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestNoPolicy: without a policy --apply is the approval.
func TestNoPolicy(t *testing.T) {
	var none guard.Policy
	if none.Exists() {
		t.Error("the zero policy exists")
	}
	if a := passes(t, none, request()); len(a.Approvals)+len(a.Accepted) != 0 {
		t.Errorf("admitted with %+v", a)
	}
	if err := none.Before(request(), call("hold")); err != nil {
		t.Error(err)
	}
}

func TestGatePlanEdited(t *testing.T) {
	r := request()
	r.Plan.Steps[0].Do.Input["stageName"] = "Deploy"
	_, err := guard.Policy{}.Admit(r)
	refused(t, err, guard.GatePlan, "was edited")
	r = request()
	r.Plan.ID = ""
	_, err = guard.Policy{}.Admit(r)
	refused(t, err, guard.GatePlan, "was edited")
}

func TestGatePlanNotInCatalogue(t *testing.T) {
	s := call("hold")
	s.Do.Operation = "DeletePipeline"
	_, err := guard.Policy{}.Admit(request(s))
	refused(t, err, guard.GatePlan, "not a write of the catalogue")
}

func TestGatePlanExpired(t *testing.T) {
	r := request()
	r.Now = r.Plan.ExpiresAt
	_, err := guard.Policy{}.Admit(r)
	refused(t, err, guard.GatePlan, "expired for starting")
	r.Resumed = true
	passes(t, guard.Policy{}, r)
	r.Plan.ExpiresAt = time.Time{}
	r.Plan.ID = r.Plan.Digest()
	r.Resumed = false
	_, err = guard.Policy{}.Admit(r)
	refused(t, err, guard.GatePlan, "expired for starting")
}

func TestGateOtherAccount(t *testing.T) {
	r := request()
	r.Account = sandbox
	_, err := guard.Policy{}.Admit(r)
	refused(t, err, guard.GatePlan, "these credentials are of account "+sandbox)
}

// TestGateClock: a clock that was set back would make expired things valid.
func TestGateClock(t *testing.T) {
	r := request()
	r.Now = r.Plan.CreatedAt.Add(-6 * time.Minute)
	_, err := guard.Policy{}.Admit(r)
	refused(t, err, guard.GateClock, "the plan was made at 2026-11-23T11:00:00Z, but it is 2026-11-23T10:54:00Z")
	r = request()
	r.NowSource = "AWS's Date header"
	r.Past = past{newest: now().Add(6 * time.Minute)}
	_, err = guard.Policy{}.Admit(r)
	refused(t, err, guard.GateClock, "by AWS's Date header: the clock was set back")
	refused(t, guard.Policy{}.Before(r, call("hold")), guard.GateClock, "set back")
	r.Past = past{newest: now().Add(4 * time.Minute)}
	passes(t, guard.Policy{}, r)
}

func TestGateAccountLists(t *testing.T) {
	for text, word := range map[string]string{
		`accounts: {deny: ["111111111111"]}`:                          "deny list of policy.yaml",
		`accounts: {allow: ["222222222222"]}`:                         "not on the allow list",
		`accounts: {allow: ["111111111111"], deny: ["111111111111"]}`: "deny list",
	} {
		p := policy(t, text)
		_, err := p.Admit(request())
		refused(t, err, guard.GateAccount, word)
		refused(t, p.Before(request(), call("hold")), guard.GateAccount, word)
	}
	passes(t, policy(t, `accounts: {allow: ["111111111111"], deny: ["222222222222"]}`), request())
}

func TestGateConfirm(t *testing.T) {
	named := policy(t, `accounts: {production: [{id: "111111111111", alias: acme-prod}]}`)
	bare := policy(t, `accounts: {production: [{id: "111111111111"}]}`)
	tests := map[string]struct {
		p             guard.Policy
		confirm       string
		alias         string
		known         bool
		gate, refuses string
	}{
		"nothing typed":         {p: named, gate: guard.GateConfirm, refuses: "is production"},
		"typo":                  {p: named, confirm: "acme-pord", gate: guard.GateConfirm, refuses: `"acme-pord" was typed`},
		"ID in place of alias":  {p: named, confirm: account, gate: guard.GateConfirm, refuses: "was typed"},
		"alias":                 {p: named, confirm: "acme-prod"},
		"AWS says another":      {p: named, confirm: "acme-prod", alias: "acme-dev", known: true, gate: guard.GateAlias, refuses: `AWS says its alias is "acme-dev"`},
		"AWS says none":         {p: named, confirm: "acme-prod", known: true, gate: guard.GateAlias, refuses: `alias is ""`},
		"alias by AWS":          {p: bare, confirm: "acme-prod", alias: "acme-prod", known: true},
		"ID, AWS has an alias":  {p: bare, confirm: account, alias: "acme-prod", known: true, gate: guard.GateConfirm, refuses: "was typed"},
		"ID, there is no alias": {p: bare, confirm: account, known: true},
		"ID, alias not seen":    {p: bare, confirm: account},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := request()
			r.Confirm, r.Alias, r.AliasKnown = tt.confirm, tt.alias, tt.known
			if tt.gate == "" {
				passes(t, tt.p, r)
				return
			}
			_, err := tt.p.Admit(r)
			refused(t, err, tt.gate, tt.refuses)
			r.Resumed = true
			_, err = tt.p.Admit(r)
			refused(t, err, tt.gate, tt.refuses)
		})
	}
}

func TestGateSandbox(t *testing.T) {
	p := policy(t, `accounts: {production: [{id: "333333333333"}], sandbox: {accounts: ["222222222222"], tag: env=sandbox, required: true, within: 48h}}`)
	r := request(call("hold"), oneWay("retry"))
	r.Accept = []string{"one-way:RetryStageExecution"}
	good := guard.ShapeRun{Account: sandbox, Shape: guard.Shape(planOf(call("a"), call("b"), oneWay("c"))), Done: true, At: now().Add(-47 * time.Hour)}
	change := func(f func(*guard.ShapeRun)) guard.ShapeRun { s := good; f(&s); return s }
	for name, run := range map[string]guard.ShapeRun{
		"never":         {},
		"not done":      change(func(s *guard.ShapeRun) { s.Done = false }),
		"too old":       change(func(s *guard.ShapeRun) { s.At = now().Add(-49 * time.Hour) }),
		"other account": change(func(s *guard.ShapeRun) { s.Account = account }),
		"tagged, but production": change(func(s *guard.ShapeRun) {
			s.Account, s.Sandbox = "333333333333", true
		}),
		"other order": change(func(s *guard.ShapeRun) { s.Shape = guard.Shape(planOf(oneWay("c"), call("a"))) }),
		"other plan":  change(func(s *guard.ShapeRun) { s.Shape = guard.Shape(planOf(call("a"))) }),
	} {
		t.Run(name, func(t *testing.T) {
			r.Past = past{shapes: []guard.ShapeRun{run}}
			_, err := p.Admit(r)
			refused(t, err, guard.GateSandbox, "no run of a plan of this shape was done in a sandbox account (222222222222 or one with the tag env=sandbox) within 48h")
		})
	}
	r.Past = past{shapes: []guard.ShapeRun{good}}
	if a := passes(t, p, r); a.Sandbox {
		t.Error("the account is not a sandbox")
	}
	r.Past = past{shapes: []guard.ShapeRun{change(func(s *guard.ShapeRun) { s.Account, s.Sandbox = "444444444444", true })}}
	passes(t, p, r)
	r.Past, r.Tags = past{}, map[string]string{"env": "sandbox"}
	if a := passes(t, p, r); !a.Sandbox {
		t.Error("the account is a sandbox by its tag")
	}
	r.Tags = nil
	r.Plan.Undoes = "20261123-0312-x7k2"
	r.Plan.ID = r.Plan.Digest()
	passes(t, p, r)
}

// TestGateConsent: what cannot be taken back needs its name, and a name that fits nothing is a typo.
func TestGateConsent(t *testing.T) {
	r := request(oneWay("a"), oneWay("b"))
	_, err := guard.Policy{}.Admit(r)
	if got := refused(t, err, guard.GateConsent, "step a has no way back"); got.Next != "--accept one-way:RetryStageExecution" {
		t.Errorf("next: %s", got.Next)
	}
	r.Accept = []string{"one-way:DeleteConnection", "one-way:RetryStageExecution"}
	_, err = guard.Policy{}.Admit(r)
	refused(t, err, guard.GateConsent, "one-way:DeleteConnection fits no step")
	harmless := oneWay("retry")
	harmless.Blast = nil // --apply says enough; a consent that is not needed this time is no typo
	once := request(harmless)
	passes(t, guard.Policy{}, once)
	once.Accept = []string{"one-way:RetryStageExecution"}
	passes(t, guard.Policy{}, once)
	r.Accept = []string{"one-way:RetryStageExecution", guard.OpenBreaker}
	if a := passes(t, guard.Policy{}, r); !slices.Equal(a.Accepted, []string{"one-way:RetryStageExecution"}) {
		t.Errorf("accepted %v", a.Accepted)
	}
}

// TestGateBreaker: too much is an alarm, by any count.
func TestGateBreaker(t *testing.T) {
	many := func(n int, change func(i int, w *guard.Write)) []guard.Write {
		all := make([]guard.Write, n)
		for i := range all {
			all[i] = guard.Write{At: now().Add(-time.Minute), Run: "other", Account: sandbox, Operation: "codepipeline:StartPipelineExecution"}
			change(i, &all[i])
		}
		return all
	}
	here := func(_ int, w *guard.Write) { w.Account = account }
	tests := map[string]struct {
		writes []guard.Write
		policy string
		word   string
	}{
		"failures of the run":        {writes: many(5, func(_ int, w *guard.Write) { w.Run, w.Failed = "mine", true }), word: "failed calls of this run: 5, the limit is 5"},
		"failures of the run, early": {writes: many(5, func(_ int, w *guard.Write) { w.Run, w.Failed, w.At = "mine", true, now().Add(-50*time.Minute) }), word: "of this run"},
		"below":                      {writes: many(4, func(_ int, w *guard.Write) { w.Run, w.Failed = "mine", true })},
		"failures of others":         {writes: many(29, func(_ int, w *guard.Write) { w.Failed = true })},
		"the account":                {writes: many(30, here), word: "calls in account 111111111111 within an hour: 30, the limit is 30, and in the week before it was 0 in all"},
		"the account, an hour ago":   {writes: many(30, func(_ int, w *guard.Write) { w.Account, w.At = account, now().Add(-61*time.Minute) })},
		"everywhere":                 {writes: many(100, func(int, *guard.Write) {}), word: "calls in all accounts within an hour: 100"},
		"runs":                       {writes: many(20, func(i int, w *guard.Write) { w.Run = string(rune('a' + i)) }), word: "other runs that changed something within an hour: 20"},
		"by the policy":              {writes: many(3, here), policy: "breaker: {perAccount: 3}", word: "the limit is 3"},
		"policy, other account":      {writes: many(3, func(int, *guard.Write) {}), policy: "breaker: {perAccount: 3}"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var p guard.Policy
			if tt.policy != "" {
				p = policy(t, tt.policy)
			}
			r := request()
			r.Run, r.Past = "mine", past{writes: tt.writes}
			if tt.word == "" {
				passes(t, p, r)
				return
			}
			_, err := p.Admit(r)
			refused(t, err, guard.GateBreaker, tt.word)
			refused(t, p.Before(r, call("hold")), guard.GateBreaker, tt.word)
			r.Accept = []string{guard.OpenBreaker}
			passes(t, p, r)
			if err := p.Before(r, call("hold")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAllRefusalsAtOnce: the user sees everything that is missing.
func TestAllRefusalsAtOnce(t *testing.T) {
	r := request(oneWay("retry"))
	_, err := policy(t, `{approvals: {}, accounts: {deny: ["111111111111"], production: [{id: "111111111111"}]}}`).Admit(r)
	var gates []string
	for _, g := range guard.Refusals(err) {
		gates = append(gates, g.Gate)
	}
	if want := []string{guard.GateAccount, guard.GateConfirm, guard.GateApproval, guard.GateConsent}; !slices.Equal(gates, want) {
		t.Errorf("refused by %v, want %v", gates, want)
	}
}

// TestGateWithoutAJournal: what cannot be judged is refused.
func TestGateWithoutAJournal(t *testing.T) {
	r := request()
	r.Past = nil
	if _, err := (guard.Policy{}).Admit(r); err == nil {
		t.Error("admitted without a journal")
	}
	if err := (guard.Policy{}).Before(r, call("hold")); err == nil {
		t.Error("let a call pass without a journal")
	}
	damaged := errors.New("the journal is damaged")
	r.Past = past{err: damaged}
	if _, err := (guard.Policy{}).Admit(r); !errors.Is(err, damaged) {
		t.Errorf("got %v", err)
	}
	if err := (guard.Policy{}).Before(r, call("hold")); !errors.Is(err, damaged) {
		t.Errorf("got %v", err)
	}
}
