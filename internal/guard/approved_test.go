package guard_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/plan"
)

func found(all ...guard.Approval) []guard.Signed {
	var out []guard.Signed
	for _, a := range all {
		out = append(out, guard.Signed{Approval: a, File: "x.json"})
	}
	return out
}

func with(a guard.Approval, change func(*guard.Approval)) guard.Approval { change(&a); return a }

// TestGateApproval: one unsigned approval of anybody is enough, unless something is wrong with it.
func TestGateApproval(t *testing.T) {
	p := policy(t, "approvals: {maxAge: 2h}")
	r := request()
	good := approval(r.Plan, ada)
	other := planOf(call("another"))
	revokes := func(a *guard.Approval) { a.Revokes, a.CreatedAt = true, a.CreatedAt.Add(time.Minute) }
	tests := map[string]struct {
		approvals []guard.Signed
		word      string // "": passes
	}{
		"none":                     {nil, "it has 0"},
		"good":                     {found(good), ""},
		"of another plan":          {found(with(good, func(a *guard.Approval) { a.PlanID = other.ID })), "it approves another plan"},
		"expired":                  {found(with(good, func(a *guard.Approval) { a.ExpiresAt = now() })), "it expired at"},
		"old":                      {found(with(good, func(a *guard.Approval) { a.CreatedAt = now().Add(-121 * time.Minute) })), "more than 2h0m0s ago"},
		"of tomorrow":              {found(with(good, func(a *guard.Approval) { a.CreatedAt = now().Add(time.Hour) })), "has not come yet"},
		"by somebody else":         {found(with(good, func(a *guard.Approval) { a.Person = "bob@example.com" })), "it says to be by bob@example.com"},
		"of another account":       {found(with(good, func(a *guard.Approval) { a.By = strings.Replace(a.By, "111111111111", "999999999999", 1) })), "somebody of account 999999999999"},
		"without schema":           {found(with(good, func(a *guard.Approval) { a.Schema = "" })), "schema"},
		"two lines":                {found(with(good, func(a *guard.Approval) { a.Comment = "a\nb" })), "of one line"},
		"revoked":                  {found(good, with(good, revokes)), "ada@example.com has revoked it"},
		"revoked at once":          {found(with(good, func(a *guard.Approval) { a.Revokes = true }), good), "has revoked it"},
		"revocation alone":         {found(with(good, revokes)), "it has 0"},
		"given again":              {found(with(good, func(a *guard.Approval) { a.Revokes, a.CreatedAt = true, a.CreatedAt.Add(-time.Second) }), good), ""},
		"revoked by another":       {found(good, with(approval(r.Plan, bob), revokes)), ""},
		"another plan was revoked": {found(good, with(good, func(a *guard.Approval) { revokes(a); a.PlanID = other.ID })), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r.Approvals = tt.approvals
			if tt.word == "" {
				if a := passes(t, p, r); len(a.Approvals) != 1 || a.Approvals[0] != "ada@example.com" {
					t.Errorf("approved by %v", a.Approvals)
				}
				return
			}
			_, err := p.Admit(r)
			refused(t, err, guard.GateApproval, tt.word)
		})
	}
}

// TestGateApprovalRevokedLater: a revocation stops a run that has begun, at its next call; an expiry does not.
func TestGateApprovalRevokedLater(t *testing.T) {
	p := policy(t, "approvals: {}")
	r := request()
	a := approval(r.Plan, ada)
	r.Approvals = found(a)
	passes(t, p, r)
	r.Now = now().Add(47 * time.Hour)
	if err := p.Before(r, call("hold")); err != nil {
		t.Errorf("refused after the expiry: %v", err)
	}
	r.Approvals = found(a, with(a, func(a *guard.Approval) { a.Revokes, a.CreatedAt = true, now().Add(time.Hour) }))
	refused(t, p.Before(r, call("hold")), guard.GateApproval, "has revoked it")
	r.Resumed = true
	_, err := p.Admit(r)
	refused(t, err, guard.GateApproval, "has revoked it")
}

// lines are allowed signers.
func lines(t testing.TB) (adaLine, bobLine string) {
	_, a := key(t, "ada")
	_, b := key(t, "bob")
	return "ada@example.com " + a, `bob,bob@example.com,arn:aws:iam::111111111111:role/Deploy namespaces="unjam-approval,git" ` + b
}

const twoEyes = "approvals: {count: 2, allowedSigners: allowed_signers}"

// TestGateApprovalTwoPeople: two of the same person are one, whatever they are called.
func TestGateApprovalTwoPeople(t *testing.T) {
	a, b := lines(t)
	p := trusting(t, twoEyes, a, b)
	r := request()
	r.By = guard.PersonOf(deploy, "")
	byAda, byBob := sign(t, approval(r.Plan, ada), "ada"), sign(t, approval(r.Plan, bob), "bob")
	bobAsRole := sign(t, with(approval(r.Plan, deploy), func(a *guard.Approval) { a.Signer = "bob" }), "bob")
	adaElsewhere := sign(t, approval(r.Plan, strings.Replace(ada, "OnCall_0123456789abcdef", "Admin_0123456789abcdef", 1)), "ada")
	for name, all := range map[string][]guard.Signed{
		"one":                       {byAda},
		"the same twice":            {byAda, byAda},
		"two permission sets":       {byAda, adaElsewhere},
		"two names of one key line": {byBob, bobAsRole},
	} {
		t.Run(name, func(t *testing.T) {
			r.Approvals = all
			_, err := p.Admit(r)
			refused(t, err, guard.GateApproval, "needs the approval of 2 people, it has 1")
		})
	}
	r.Approvals = []guard.Signed{byAda, byBob}
	if got := passes(t, p, r); len(got.Approvals) != 2 {
		t.Errorf("approved by %v", got.Approvals)
	}
}

// TestGateFourEyes: who made or runs the plan does not count, under no name and no key of theirs.
func TestGateFourEyes(t *testing.T) {
	a, b := lines(t)
	p := trusting(t, "approvals: {fourEyes: true, allowedSigners: allowed_signers, machines: ['arn:aws:iam::111111111111:role/path/Deploy']}", a, b)
	r := request()
	byAda, byBob := sign(t, approval(r.Plan, ada), "ada"), sign(t, approval(r.Plan, bob), "bob")

	r.Approvals = []guard.Signed{byAda}
	_, err := p.Admit(r)
	refused(t, err, guard.GateApproval, "ada@example.com made or runs the plan")
	r.Approvals = []guard.Signed{sign(t, approval(r.Plan, bob), "ada")} // ada in bob's name, with her own key
	_, err = p.Admit(r)
	refused(t, err, guard.GateApproval, "its key is not that of bob@example.com")
	r.Approvals = []guard.Signed{byBob}
	passes(t, p, r)
	r.By = guard.PersonOf(bob, "") // made by ada, run and approved by bob
	_, err = p.Admit(r)
	refused(t, err, guard.GateApproval, "bob@example.com made or runs the plan")

	r.By = guard.PersonOf(strings.Replace(deploy, "Deploy", "Shared", 1), "")
	_, err = p.Admit(r)
	refused(t, err, guard.GateApproval, "which may be anybody")
	r.By = guard.PersonOf(deploy, "") // a machine; bob's key line names it: it could be him
	_, err = p.Admit(r)
	refused(t, err, guard.GateApproval, "made or runs the plan")
	machine := trusting(t, "approvals: {fourEyes: true, allowedSigners: x, machines: ['arn:aws:iam::111111111111:role/Deploy']}", "bob@example.com "+strings.Join(strings.Fields(b)[2:], " "))
	passes(t, machine, r)
}

// TestGateSignature: what a signature must be.
func TestGateSignature(t *testing.T) {
	a, b := lines(t)
	_, adaKey := key(t, "ada")
	_, eveKey := key(t, "eve")
	const text = "approvals: {allowedSigners: allowed_signers}"
	r := request()
	good := sign(t, approval(r.Plan, ada), "ada")
	late := good
	late.ExpiresAt = late.ExpiresAt.Add(time.Hour)
	other := sign(t, approval(planOf(call("another")), ada), "ada")
	moved := other
	moved.PlanID = r.Plan.ID
	tests := map[string]struct {
		lines []string
		s     guard.Signed
		word  string
	}{
		"good":              {[]string{a, b}, good, ""},
		"no signature":      {[]string{a}, found(approval(r.Plan, ada))[0], "it is not signed"},
		"garbage":           {[]string{a}, found(with(good.Approval, func(a *guard.Approval) { a.Signature = "yes" }))[0], "cannot be read"},
		"prolonged":         {[]string{a}, late, "its signature is wrong"},
		"replayed":          {[]string{a}, other, "it approves another plan"},
		"moved":             {[]string{a}, moved, "its signature is wrong"},
		"unknown key":       {[]string{b}, good, "its key is not among the allowed signers"},
		"another's key":     {[]string{a, b}, sign(t, approval(r.Plan, ada), "bob"), "its key is not that of ada@example.com"},
		"signer not person": {[]string{"oncall " + adaKey}, sign(t, with(approval(r.Plan, ada), func(a *guard.Approval) { a.Signer = "oncall" }), "ada"), "the line of allowed signers must name the person too"},
		"signer and person": {[]string{"oncall,Ada@Example.com " + adaKey}, sign(t, with(approval(r.Plan, ada), func(a *guard.Approval) { a.Signer = "oncall" }), "ada"), ""},
		"other namespace":   {[]string{`ada@example.com namespaces="git,file" ` + adaKey}, good, "namespace unjam-approval"},
		"any namespace":     {[]string{`ada@example.com namespaces="*" ` + adaKey}, good, ""},
		"not yet valid":     {[]string{`ada@example.com valid-after="20261123113001Z" ` + adaKey}, good, "valid only from"},
		"retired":           {[]string{`ada@example.com valid-before="20261123115959Z" ` + adaKey}, good, "valid only until"},
		"in between":        {[]string{`ada@example.com valid-after="20261123Z",valid-before="20261124Z" ` + adaKey}, good, ""},
		"IAM user":          {[]string{eve + " " + eveKey}, sign(t, approval(r.Plan, eve), "eve"), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := trusting(t, text, tt.lines...)
			r.Approvals = []guard.Signed{tt.s}
			if tt.word == "" {
				passes(t, p, r)
				return
			}
			_, err := p.Admit(r)
			refused(t, err, guard.GateApproval, tt.word)
		})
	}
	r.Approvals = []guard.Signed{good}
	if _, err := policy(t, text).Admit(r); err == nil || !strings.Contains(err.Error(), "was not read") {
		t.Errorf("without the file of signers: %v", err)
	}
	r.Approvals = append(r.Approvals, found(with(approval(r.Plan, ada), func(a *guard.Approval) { a.Revokes, a.CreatedAt = true, now() }))...)
	_, err := trusting(t, text, a).Admit(r)
	refused(t, err, guard.GateApproval, "has revoked it") // without a signature: stopping must be easy
}

// TestNoAdmissionWithABrokenSignature changes one thing of a signed approval, whatever it is: it does not count any more.
func TestNoAdmissionWithABrokenSignature(t *testing.T) {
	a, _ := lines(t)
	p := trusting(t, "approvals: {allowedSigners: x}", a)
	r := request()
	good := sign(t, approval(r.Plan, ada), "ada")
	r.Approvals = []guard.Signed{good}
	passes(t, p, r)
	rapid.Check(t, func(t *rapid.T) {
		s := good
		switch rapid.IntRange(0, 5).Draw(t, "what") {
		case 0:
			s.ExpiresAt = s.ExpiresAt.Add(time.Duration(rapid.Int64Range(1, 1e9).Draw(t, "longer")))
		case 1:
			s.CreatedAt = s.CreatedAt.Add(time.Duration(rapid.Int64Range(1, 1e9).Draw(t, "later")))
		case 2:
			s.Comment += rapid.StringN(1, 20, 50).Draw(t, "comment")
		case 3:
			s.By = bob
		case 4:
			s.Signer = "ada@example.com"
		case 5:
			i := rapid.IntRange(0, len(s.Signature)-1).Draw(t, "where")
			c := rapid.ByteRange('A', 'z').Draw(t, "letter")
			s.Signature = s.Signature[:i] + string(c) + s.Signature[i+1:]
			if s.Signature == good.Signature || !changes(good.Signature, s.Signature) {
				return // the same signature
			}
		}
		r := r
		r.Approvals = []guard.Signed{s}
		r.Accept = rapid.SliceOfN(rapid.SampledFrom([]string{guard.OpenBreaker, guard.NoWindow}), 0, 2).Draw(t, "accept")
		r.Resumed = rapid.Bool().Draw(t, "resumed")
		r.Confirm = rapid.SampledFrom([]string{"", account}).Draw(t, "confirm")
		if _, err := p.Admit(r); err == nil {
			t.Fatalf("admitted with %+v", s)
		}
		if err := p.Before(r, plan.Step{ID: "x", Kind: plan.Call}); err == nil {
			t.Fatalf("let pass with %+v", s)
		}
	})
}

// changes reports whether two armored signatures differ in what they say: padding bits at the end of a base64 text say nothing.
func changes(a, b string) bool {
	_, errA := guard.DecodeSignature(a)
	_, errB := guard.DecodeSignature(b)
	if errA != nil || errB != nil {
		return true
	}
	x, _ := guard.DecodeSignature(a)
	y, _ := guard.DecodeSignature(b)
	return x != y
}
