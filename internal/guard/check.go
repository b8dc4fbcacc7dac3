package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
)

// The numbers of a policy that does not say otherwise, and the bounds of what it may say.
const (
	defaultMaxAge = 24 * time.Hour     // as long as a plan may start
	defaultWithin = 7 * 24 * time.Hour // a sandbox run is a rehearsal for a week
	maxApprovers  = 10
	maxWindow     = 7 * 24 * time.Hour
)

// check refuses what cannot be meant.
func (p *Policy) check(s source) error {
	for _, check := range []func(source) error{p.checkApprovals, p.checkAccounts, p.checkWindows, p.checkBreaker} {
		if err := check(s); err != nil {
			return err
		}
	}
	for i, r := range p.EncryptTo {
		if strings.TrimSpace(r) == "" {
			return s.at(fmt.Sprintf("$.encryptTo[%d]", i), "want an age recipient")
		}
	}
	return nil
}

func (p *Policy) checkApprovals(s source) error {
	a := p.Approvals
	switch {
	case a.Count < 0 || a.Count > maxApprovers:
		return s.at("$.approvals.count", "count is %d, want 0 to %d", a.Count, maxApprovers)
	case a.FourEyes && a.Count == 0:
		return s.at("$.approvals.fourEyes", "fourEyes needs a count of at least 1")
	case (a.Count > 1 || a.FourEyes) && a.AllowedSigners == "":
		return s.at("$.approvals", "more than one approver and fourEyes need allowedSigners: a record without a signature can be written by anybody")
	}
	for i, m := range a.Machines {
		if arn, err := fact.ParseARN(m); err != nil || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, "role/") {
			return s.at(fmt.Sprintf("$.approvals.machines[%d]", i), "%q is no ARN of a role", m)
		}
	}
	return nil
}

func (p *Policy) checkAccounts(s source) error {
	a := p.Accounts
	lists := map[string][]string{"$.accounts.allow": a.Allow, "$.accounts.deny": a.Deny, "$.accounts.sandbox.accounts": a.Sandbox.Accounts}
	for _, path := range []string{"$.accounts.allow", "$.accounts.deny", "$.accounts.sandbox.accounts"} {
		for i, id := range lists[path] {
			if !isAccount(id) {
				return s.at(fmt.Sprintf("%s[%d]", path, i), "%q is no account ID of 12 digits; put it in quotes", id)
			}
		}
	}
	if s.has("$.accounts.allow") && len(a.Allow) == 0 {
		return s.at("$.accounts.allow", "an empty list allows nothing; leave it away to allow every account")
	}
	for i, prod := range a.Production {
		at := fmt.Sprintf("$.accounts.production[%d]", i)
		if !isAccount(prod.ID) {
			return s.at(at+".id", "%q is no account ID of 12 digits; put it in quotes", prod.ID)
		}
		if slices.Contains(a.Sandbox.Accounts, prod.ID) {
			return s.at(at+".id", "account %s is production and sandbox at once", prod.ID)
		}
	}
	if k, v, found := strings.Cut(a.Sandbox.Tag, "="); a.Sandbox.Tag != "" && (!found || k == "" || v == "") {
		return s.at("$.accounts.sandbox.tag", "%q is no tag, want KEY=VALUE", a.Sandbox.Tag)
	}
	if a.Sandbox.Required && a.Sandbox.Tag == "" && len(a.Sandbox.Accounts) == 0 {
		return s.at("$.accounts.sandbox.required", "no account can ever be the sandbox: name accounts or a tag")
	}
	return nil
}

func (p *Policy) checkWindows(s source) error {
	names := map[string]bool{}
	for i := range p.Windows {
		w, at := &p.Windows[i], fmt.Sprintf("$.windows[%d]", i)
		if w.Name == "" || names[w.Name] {
			return s.at(at, "a window needs a name of its own")
		}
		names[w.Name] = true
		for k, id := range w.Accounts {
			if !isAccount(id) {
				return s.at(fmt.Sprintf("%s.accounts[%d]", at, k), "%q is no account ID of 12 digits; put it in quotes", id)
			}
		}
		if s.has(at+".accounts") && len(w.Accounts) == 0 {
			return s.at(at+".accounts", "an empty list opens the window for nothing; leave it away for every account")
		}
		if s.has(at+".for") && len(w.For) == 0 {
			return s.at(at+".for", "an empty list opens the window for nothing; leave it away for everything")
		}
		for k, f := range w.For {
			if !slices.Contains(everything, f) {
				return s.at(fmt.Sprintf("%s.for[%d]", at, k), "%q is unknown, want %s", f, strings.Join(everything, ", "))
			}
		}
		if key, err := w.compile(); err != nil {
			return s.at(at+"."+key, "%s: %v", key, err)
		}
	}
	return nil
}

func (p *Policy) checkBreaker(s source) error {
	for _, c := range []struct {
		key   string
		value int
	}{{"perRun", p.Breaker.PerRun}, {"perAccount", p.Breaker.PerAccount}, {"overall", p.Breaker.Overall}, {"runs", p.Breaker.Runs}} {
		if at := "$.breaker." + c.key; s.has(at) && c.value < 1 {
			return s.at(at, "%s is %d, want at least 1; to forbid changes leave the account out of accounts.allow", c.key, c.value)
		}
	}
	return nil
}

// isAccount reports whether a text is an AWS account ID: 12 digits (AWS account identifiers, AWS Account Management Reference Guide).
func isAccount(id string) bool {
	return len(id) == 12 && strings.Trim(id, "0123456789") == ""
}
